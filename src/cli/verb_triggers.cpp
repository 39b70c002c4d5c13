// `troupe triggers`: what the pipeline's triggers listen to, and when its schedules fire next. Needs no supervisor.
#include "adapters/system/system_clock.hpp"
#include "base/time.hpp"
#include "cli/trigger_requests.hpp"
#include "cli/verbs.hpp"
#include "config/load_pipeline.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "engine/recorded_outputs.hpp"
#include "engine/trigger_history.hpp"
#include "views/trigger_view.hpp"

#include <algorithm>
#include <map>

namespace troupe_internal::cli {
namespace {

constexpr std::uint32_t ticks_shown = 5;
constexpr std::uint32_t most_ticks = 10'000;

struct triggers_arguments {
  std::string name, from, reason;
  std::vector<std::string> params;
  std::string key;
  std::optional<std::uint32_t> count;
  std::string to;
  bool again = false, dry_run = false, parallel = false;
};

int ask(invocation& with, const triggers_arguments& given, trigger_ask::verb what) {
  trigger_ask asked;
  asked.what = what;
  asked.name = given.name;
  asked.key = given.key;
  asked.reason = given.reason;
  asked.first = given.from;
  asked.last = given.to;
  asked.again = given.again;
  asked.dry = given.dry_run;
  asked.apart = given.parallel;
  for (const auto& one : given.params) {
    const auto at = one.find('=');
    if (at == 0 || at == std::string::npos)
      return with.report(fail(error_code::invalid_input, "--with takes NAME=VALUE, not '" + one + "'"));
    asked.params.emplace_back(one.substr(0, at), one.substr(at + 1));
  }
  return ask_trigger(with, asked);
}

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
                                   .only_regular = request->only_regular,
                                   .made_here = recorded_in(request->state)});
  with.findings = on.findings;
  if (!on.findings.items.empty())
    with.io.err.stream << findings_text(on.findings, with.io.err.colours) << std::flush;
  if (!on.p)
    return with.report(fail(error_code::invalid_input, "the pipeline file has mistakes"));
  std::map<std::string, trigger_record> records;
  if (const auto state = with.state_folder()) {
    auto known = list_trigger_records(*state);
    if (!known)
      return with.report(known.error());
    for (auto& one : *known)
      records.emplace(one.trigger, std::move(one));
  }
  auto all = shown_triggers(on.p->name, *on.triggers, from, given.count.value_or(ticks_shown));
  for (auto& one : all)
    if (const auto record = records.find(one.pipeline + "/" + one.what->name); record != records.end())
      one.record = record->second;
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
  auto& paused = verb.subcommand("pause", "A trigger of a supervisor fires no more until it is resumed");
  paused.positional("NAME", given->name, true, "TRIGGER or PIPELINE/TRIGGER");
  paused.text("--reason", "TEXT", given->reason, "why, for people");
  paused.examples = {{"troupe triggers pause nightly --reason 'the source is down'", "no ticks from now on"}};
  paused.action = [given, &with] { return ask(with, *given, trigger_ask::verb::pause); };
  auto& resumed = verb.subcommand("resume", "A paused trigger fires again; what came meanwhile is not made up for");
  resumed.positional("NAME", given->name, true, "TRIGGER or PIPELINE/TRIGGER");
  resumed.examples = {{"troupe triggers resume nightly", "ticks from now on"}};
  resumed.action = [given, &with] { return ask(with, *given, trigger_ask::verb::resume); };
  auto& fired = verb.subcommand("fire", "Make a trigger of any kind fire now");
  fired.positional("NAME", given->name, true, "TRIGGER or PIPELINE/TRIGGER");
  fired.texts("--with", "NAME=VALUE", given->params, "a value for a param, instead of the trigger's own");
  fired.text("--key", "KEY", given->key, "asked again under the same key, it fires once");
  fired.flag("--parallel", given->parallel, "a run of its own, beside whatever runs of the trigger are open");
  fired.examples = {{"troupe triggers fire nightly", "as if it were time"},
                    {"troupe triggers fire nightly --with day=2026-03-29", "for another day"}};
  fired.action = [given, &with] { return ask(with, *given, trigger_ask::verb::fire); };
  auto& filled = verb.subcommand("backfill", "Make up for ticks of the past, one run for each");
  filled.positional("NAME", given->name, true, "TRIGGER or PIPELINE/TRIGGER");
  filled.text("--from", "TIME", given->from, "the first moment, such as 2026-03-29T02:00Z or 2026-03-29");
  filled.text("--to", "TIME", given->to, "the last moment, itself included");
  filled.flag("--again", given->again, "ticks that have fired, too");
  filled.flag("--dry-run", given->dry_run, "only say how many ticks there are");
  filled.examples = {
      {"troupe triggers backfill nightly --from 2026-03-01 --to 2026-03-31", "all nights of March that had no run"},
      {"troupe triggers backfill nightly --from 2026-03-01 --to 2026-03-31 --dry-run", "how many that are"}};
  filled.action = [given, &with] { return ask(with, *given, trigger_ask::verb::backfill); };
}

} // namespace troupe_internal::cli
