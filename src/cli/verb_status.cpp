// `troupe status`: how each asset stands.
#include "adapters/system/system_clock.hpp"
#include "cli/asset_lookup.hpp"
#include "cli/beside_supervisor.hpp"
#include "cli/run_text.hpp"
#include "cli/verbs.hpp"
#include "core/journal/event_json.hpp"
#include "engine/trigger_history.hpp"
#include "views/documents.hpp"
#include "views/reason_text.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <map>

namespace troupe_internal::cli {

namespace {

std::string short_version(const production& made) {
  return made.reported_version.empty() ? to_hex(made.data_version).substr(0, 12) : made.reported_version;
}

tint tint_of(asset_standing standing) {
  switch (standing) {
  case asset_standing::fresh:
    return tint::good;
  case asset_standing::failed:
    return tint::bad;
  case asset_standing::stale:
    return tint::warn;
  case asset_standing::maybe:
  case asset_standing::running:
    return tint::info;
  }
  return tint::none;
}

void print_statuses(const output& to, const pipeline& p, const std::vector<asset_status_report>& assets,
                    timestamp now) {
  table rows({{"ASSET", false, true, true},
              {"STATE", false, false},
              {"LAST MADE", false, false},
              {"RUN", true, false},
              {"DURATION", true, false},
              {"DATA VERSION", false, true, false, true},
              {"WHY", false, true}});
  std::size_t fresh = 0, failed = 0;
  for (const auto& asset : assets) {
    fresh += asset.fresh ? 1 : 0;
    const auto& last = asset.record.last;
    const auto standing = standing_of(asset.record.attempt, asset.action);
    failed += standing == asset_standing::failed ? 1 : 0;
    rows.row({std::string(p.asset(asset.asset).name),
              {std::string(standing_words(standing)), tint_of(standing)},
              last ? ago(last->finished_at, now) : "never",
              last ? "#" + std::to_string(last->run.value) : "",
              last ? to_human(last->took) : "",
              last ? short_version(last->made) : "",
              why_words(asset.action, asset.reasons)});
  }
  rows.print(to);
  to.stream << "\n"
            << printable(p.name) << ": " << fresh << " of " << counted(assets.size(), "asset") << " fresh"
            << (failed > 0 ? ", " + std::to_string(failed) + " failed" : "") << "\n";
}

/// What a supervisor has yet to tell people of this pipeline.
int print_deliveries(invocation& with, const project& on) {
  const auto waiting = list_waiting_notices(on.state_folder);
  if (!waiting)
    return with.report(waiting.error());
  const auto now = system_clock().now();
  for (const auto& notice : *waiting)
    if (notice.pipeline == on.p->name)
      with.io.out.stream << with.io.out.colours.paint(tint::warn, "not delivered: ") << to_string(notice.kind) << " "
                         << printable(notice.subject)
                         << (notice.bound_run.value == 0 ? "" : ", run #" + std::to_string(notice.bound_run.value))
                         << ", " << ago(notice.at, now) << ", to " << printable(listed(notice.targets, 5)) << "\n";
  return exit_ok;
}

struct status_arguments {
  std::vector<std::string> selection;
  bool exit_code = false;
};

int status(invocation& with, const status_arguments& arguments) {
  const auto& selection = arguments.selection;
  auto on = with.open({.all_files = selection.empty()});
  if (!on)
    return with.report(on.error());
  use_environment_of_supervisor(with, *on);
  std::vector<asset_warning> warnings;
  auto assets = asset_statuses(*on, located(*on, selection), &warnings);
  if (!assets)
    return with.report(assets.error());
  for (const auto& warning : warnings)
    with.warn(warning_line(on->p->asset(warning.asset).name, warning.what));
  const bool all_fresh = std::all_of(assets->begin(), assets->end(), [](const auto& one) { return one.fresh; });
  const int ended = arguments.exit_code && !all_fresh ? exit_failed : exit_ok;
  if (!with.options.json) {
    print_statuses(with.io.out, *on->p, *assets, system_clock().now());
    if (const int told = print_deliveries(with, *on); told != exit_ok)
      return told;
    return ended;
  }
  auto runs = list_runs(on->state_folder, 0);
  if (!runs)
    return with.report(runs.error());
  std::map<run_number, std::string> ids;
  for (const auto& run : *runs)
    ids.emplace(run.run, to_string(run.id));
  json_writer json(with.io.out.stream);
  write_statuses(json, *on->p, *assets, [&](run_number run) {
    const auto found = ids.find(run);
    return found == ids.end() ? std::string() : found->second;
  });
  return ended;
}

} // namespace

void declare_status(command_spec& root, invocation& with) {
  auto to = std::make_shared<status_arguments>();
  auto& verb = root.subcommand("status", "Show each asset: freshness, last materialization, duration, data version");
  verb.positionals("SELECTION", to->selection, "which assets; default: all").completes = completion::assets;
  verb.flag("--exit-code", to->exit_code, "exit with 1 if an asset is not fresh");
  verb.examples = {{"troupe status", "all assets"}, {"troupe status +report", "report and all it needs"}};
  verb.action = [to, &with] { return status(with, *to); };
}

} // namespace troupe_internal::cli
