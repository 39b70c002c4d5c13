// `troupe schema`: the JSON Schema of the pipeline file.
#include "cli/verbs.hpp"
#include "config/schema.hpp"

namespace troupe_internal::cli {

void declare_schema(command_spec& root, invocation& with) {
  auto& verb = root.subcommand("schema", "Print the JSON Schema of the pipeline file");
  verb.examples = {{"troupe schema > troupe.schema.json",
                    "for an editor: name it in the pipeline file as \"$schema\": \"troupe.schema.json\""}};
  verb.action = [&with] {
    const auto schema = config::pipeline_schema();
    with.io.out.stream << schema << (schema.ends_with('\n') ? "" : "\n");
    return static_cast<int>(exit_ok);
  };
}

} // namespace troupe_internal::cli
