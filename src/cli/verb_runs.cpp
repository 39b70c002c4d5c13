// `troupe runs`: the history.
#include "adapters/system/system_clock.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "views/documents.hpp"
#include "views/text.hpp"

namespace troupe_internal::cli {

namespace {

constexpr std::uint32_t runs_shown = 20;

int runs(invocation& with, std::optional<std::uint32_t> limit) {
  auto state = with.state_folder();
  if (!state)
    return with.report(state.error());
  const std::size_t most = limit.value_or(with.options.json ? 0 : runs_shown);
  auto listed = list_runs(*state, most == 0 ? 0 : most + 1);
  if (!listed)
    return with.report(listed.error());
  const bool more = most > 0 && listed->size() > most;
  if (more)
    listed->resize(most);
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    if (!with.options.lines) {
      write_runs(json, *listed);
      return exit_ok;
    }
    for (const auto& one : *listed) {
      json.begin_object();
      write_run_members(json, one, one.counts);
      json.end_object().finish();
    }
    return exit_ok;
  }
  auto& to = with.io.out;
  if (listed->empty())
    to.stream << "no runs yet\n";
  print_runs(to, *listed, system_clock().now());
  if (more)
    to.stream << to.colours.paint(tint::dim, "older ones are not listed (--limit 0 lists all)") << "\n";
  return exit_ok;
}

} // namespace

void declare_runs(command_spec& root, invocation& with) {
  auto limit = std::make_shared<std::optional<std::uint32_t>>();
  auto& verb = root.subcommand("runs", "List the runs, newest first");
  verb.number("-l,--limit", "N", *limit, 0, "the newest N; 0: all; default: 20, with --json all");
  verb.examples = {{"troupe runs", "the newest runs"},
                   {"troupe runs --json --limit 1", "the newest run, for programs"}};
  verb.streams = true;
  verb.action = [limit, &with] { return runs(with, *limit); };
}

} // namespace troupe_internal::cli
