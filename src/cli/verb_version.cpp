// `troupe version`.
#include "cli/verbs.hpp"
#include "views/documents.hpp"

namespace troupe_internal::cli {

void declare_version(command_spec& root, invocation& with) {
  auto& verb = root.subcommand("version", "Show the version");
  verb.examples = {{"troupe version --json", "for programs"}};
  verb.action = [&with] {
    if (with.options.json) {
      json_writer json(with.io.out.stream);
      begin_document(json);
      json.member("version", TROUPE_VERSION).end_object().finish();
    } else {
      with.io.out.stream << "troupe " TROUPE_VERSION "\n";
    }
    return static_cast<int>(exit_ok);
  };
}

} // namespace troupe_internal::cli
