// `troupe validate`: check the pipeline file.
#include "adapters/system/system_clock.hpp"
#include "cli/run_arguments.hpp"
#include "cli/verbs.hpp"
#include "config/load_pipeline.hpp"
#include "engine/recorded_outputs.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"
#include "views/trigger_view.hpp"

namespace troupe_internal::cli {

namespace {

std::size_t count(const diagnostics& findings, severity level) {
  std::size_t found = 0;
  for (const auto& item : findings.items)
    found += item.level == level ? 1 : 0;
  return found;
}

int validate(invocation& with, bool strict) {
  auto request = with.project_request();
  if (!request)
    return with.report(request.error());
  auto on = config::load_pipeline({.file = request->file,
                                   .params = request->params,
                                   .thorough = true,
                                   .state = request->state,
                                   .only_regular = request->only_regular,
                                   .made_here = recorded_in(request->state)});
  if (strict)
    on.findings.count_warnings_as_errors();
  const auto& findings = on.findings;
  const bool valid = on.p != nullptr && !findings.has_errors();
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_validation(json, findings);
    return valid ? exit_ok : exit_usage;
  }
  auto& to = with.io.out;
  to.stream << findings_text(findings, to.colours);
  const auto errors = count(findings, severity::error), warnings = count(findings, severity::warning);
  if (!findings.items.empty())
    to.stream << "\n";
  to.stream << printable(findings.file) << ": ";
  if (valid) {
    std::size_t edges = 0;
    for (const auto asset : on.graph->topological_order())
      edges += on.graph->upstream(asset).size();
    to.stream << to.colours.paint(tint::good, "valid") << ": " << counted(on.p->assets.size(), "asset") << ", " << edges
              << (edges == 1 ? " dependency" : " dependencies");
  } else {
    to.stream << to.colours.paint(tint::bad, counted(errors, "error"));
  }
  to.stream << (warnings == 0 ? "" : ", " + counted(warnings, "warning")) << "\n";
  if (valid)
    for (const auto& note : notes_on_schedules(*on.triggers, system_clock().now()))
      to.stream << to.colours.paint(tint::dim, "note: ") << printable(note) << "\n";
  return valid ? exit_ok : exit_usage;
}

} // namespace

void declare_validate(command_spec& root, invocation& with) {
  auto& verb = root.subcommand("validate", "Check the pipeline file; report every mistake with its place");
  verb.examples = {{"troupe validate", "troupe.json in this folder"},
                   {"troupe validate -f other.json --json", "another file, for programs"},
                   {"generate-pipeline | troupe validate -f -", "what a program writes"}};
  auto strict = std::make_shared<bool>(false);
  declare_strict(verb, *strict);
  verb.action = [strict, &with] { return validate(with, *strict); };
}

} // namespace troupe_internal::cli
