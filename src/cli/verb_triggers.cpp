// `troupe triggers`: what the pipeline's triggers listen to, and when its schedules fire next. Needs no supervisor.
#include "adapters/system/system_clock.hpp"
#include "base/time.hpp"
#include "cli/verbs.hpp"
#include "config/load_pipeline.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "views/trigger_view.hpp"

#include <algorithm>

namespace troupe_internal::cli {
namespace {

constexpr std::uint32_t ticks_shown = 5;
constexpr std::uint32_t most_ticks = 10'000;

struct triggers_arguments {
  std::string name, from;
  std::optional<std::uint32_t> count;
};

int triggers(invocation& with, const triggers_arguments& given) {
  auto request = with.project_request();
  if (!request)
    return with.report(request.error());
  auto from = system_clock().now();
  if (!given.from.empty()) {
    const auto moment = parse_moment(given.from);
    if (!moment)
      return with.report(
          fail(error_code::invalid_input,
               "--from takes a moment such as 2026-03-29T02:00Z or 2026-03-29, not '" + given.from + "'"));
    from = *moment - duration(1); // a tick at that moment is one of the next
  }
  auto on = config::load_pipeline({.file = request->file,
                                   .params = request->params,
                                   .state = request->state,
                                   .only_regular = request->only_regular});
  with.findings = on.findings;
  if (!on.findings.items.empty())
    with.io.err.stream << findings_text(on.findings, with.io.err.colours) << std::flush;
  if (!on.p)
    return with.report(fail(error_code::invalid_input, "the pipeline file has mistakes"));
  auto all = shown_triggers(on.p->name, *on.triggers, from, given.count.value_or(ticks_shown));
  if (!given.name.empty()) {
    nearest_name nearest(given.name);
    std::vector<std::string> names;
    for (const auto& one : all) {
      names.push_back(one.what->name);
      names.push_back(one.pipeline + "/" + one.what->name);
    }
    for (const auto& one : names)
      nearest.consider(one);
    std::erase_if(all, [&](const shown_trigger& one) {
      return given.name != one.what->name && given.name != one.pipeline + "/" + one.what->name;
    });
    if (all.empty())
      return with.report(fail(error_code::not_found, "there is no trigger '" + given.name + "'" + nearest.hint()));
  }
  if (with.options.json) {
    json_writer json(with.io.out.stream);
    write_triggers(json, all);
    return exit_ok;
  }
  if (all.empty())
    with.io.out.stream << "no triggers\n";
  print_triggers(with.io.out, all, !given.name.empty() || given.count || !given.from.empty());
  return exit_ok;
}

} // namespace

void declare_triggers(command_spec& root, invocation& with) {
  auto given = std::make_shared<triggers_arguments>();
  auto& verb = root.subcommand("triggers", "List the triggers and when schedules fire next");
  verb.positional("NAME", given->name, false, "one trigger: TRIGGER or PIPELINE/TRIGGER");
  verb.text("--from", "TIME", given->from, "ticks from then on, such as 2026-03-29T02:00Z (default: now)");
  verb.number("--count", "N", given->count, 0, "the next N ticks of each schedule (default: 5)", most_ticks);
  verb.examples = {{"troupe triggers", "all of them, each with its next tick"},
                   {"troupe triggers nightly --count 10", "the next ten ticks of one"},
                   {"troupe triggers --json --from 2026-10-25", "for programs; ticks from that day on"}};
  verb.action = [given, &with] { return triggers(with, *given); };
}

} // namespace troupe_internal::cli
