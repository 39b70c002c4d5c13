// `troupe schema`: the JSON Schema of the pipeline file, or of supervisor.json.
#include "cli/verbs.hpp"
#include "config/schema.hpp"

namespace troupe_internal::cli {

void declare_schema(command_spec& root, invocation& with) {
  auto of = std::make_shared<std::string>();
  auto& verb = root.subcommand("schema", "Print the JSON Schema of the pipeline file, or of another file");
  auto& file = verb.positional("FILE", *of, false, "which: pipeline (the default) or supervisor");
  file.completes = completion::words;
  file.words = {"pipeline", "supervisor"};
  verb.examples = {{"troupe schema > troupe.schema.json",
                    "for an editor: name it in the pipeline file as \"$schema\": \"troupe.schema.json\""},
                   {"troupe schema supervisor", "that of supervisor.json"}};
  verb.action = [of, &with] {
    if (!of->empty() && *of != "pipeline" && *of != "supervisor")
      return with.report(
          fail(error_code::invalid_input, "there is no schema of '" + *of + "'; known are pipeline and supervisor"));
    const auto schema = *of == "supervisor" ? config::supervisor_schema() : config::pipeline_schema();
    with.io.out.stream << schema << (schema.ends_with('\n') ? "" : "\n");
    return static_cast<int>(exit_ok);
  };
}

} // namespace troupe_internal::cli
