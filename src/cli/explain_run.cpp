// Comparing when things ended with when the asset started.
#include "cli/explain_run.hpp"

#include "views/reason_text.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe_internal::cli {

namespace {

constexpr duration noticeable = std::chrono::milliseconds(50); // shorter waits are the engine's own doing

std::string attempts_text(const asset_run_report& asset) {
  return asset.attempts == 1 ? "one attempt" : std::to_string(asset.attempts) + " attempts";
}

std::vector<std::string> pool_names(const project& on, asset_index asset) {
  std::vector<std::string> names;
  for (const auto& [name, slots] : on.p->settings_of(asset).pools)
    names.push_back(name);
  return names;
}

std::vector<std::string> unfinished_upstreams(const project& on, const run_report& report, asset_index asset) {
  std::unordered_map<std::string_view, asset_status> status;
  for (const auto& other : report.assets)
    status.emplace(other.name, other.status);
  std::vector<std::string> names;
  for (const auto up : on.graph->upstream(asset)) {
    const auto found = status.find(on.p->asset(up).name);
    if (found != status.end() && !is_final(found->second))
      names.push_back(printable(found->first) + " (" + std::string(to_string(found->second)) + ")");
  }
  return names;
}

std::string wait_sentence(const told_wait& one) {
  const auto span = to_human(std::chrono::milliseconds(one.ms));
  switch (one.what) {
  case wait_kind::asset:
    return "It waited " + span + " for its upstream " + printable(one.name) + ", the last that it needed.";
  case wait_kind::hold:
    return "It was held by run " + printable(one.name) + " for " + span + ".";
  case wait_kind::worker:
    return "It waited " + span + " for its share of the workers.";
  case wait_kind::pool:
    return "It waited " + span + " for room in pool " + printable(one.name) + ".";
  }
  return "It waited " + span + ".";
}

/// Runs of older versions have not recorded what was waited for: there it is worked out from when things ended.
void tell_waiting(std::vector<std::string>& out, const project& on, const run_report& report, asset_index asset) {
  if (std::any_of(report.assets.begin(), report.assets.end(), [](const auto& one) { return !one.waits.empty(); })) {
    for (const auto& one : find_in(report, on.p->asset(asset).name)->waits)
      if (std::chrono::milliseconds(one.ms) >= noticeable)
        out.push_back(wait_sentence(one));
    return;
  }
  const auto story = waited(on, report, asset);
  if (!story)
    return;
  const bool told_first = !story->last_needed.empty() && story->until_ready >= noticeable;
  if (told_first)
    out.push_back("What it needs was there " + to_human(story->until_ready) + " into the run; the last of it was " +
                  printable(story->last_needed) + ".");
  if (story->for_slot < noticeable)
    return;
  const auto pools = pool_names(on, asset);
  out.push_back(
      (told_first ? "It then waited " : "It waited ") + to_human(story->for_slot) + " for a free worker" +
      (pools.empty() ? "" : " or room in " + std::string(pools.size() == 1 ? "pool " : "pools ") + listed(pools, 5)) +
      ".");
}

std::string use_sentence(const asset_run_report& asset) {
  const auto& used = *asset.resources;
  return (asset.attempts > 1 ? "In the last attempt its" : "Its") + std::string(" command used ") +
         to_human(used.user_cpu + used.system_cpu) + " of processor time (" + to_human(used.user_cpu) + " user, " +
         to_human(used.system_cpu) + " system) and " + (used.peak_is_bound ? "at most " : "") +
         bytes_text(used.peak_memory_kib * 1024) + " of memory.";
}

} // namespace

const asset_run_report* find_in(const run_report& report, std::string_view name) {
  const auto found =
      std::find_if(report.assets.begin(), report.assets.end(), [&](const auto& asset) { return asset.name == name; });
  return found == report.assets.end() ? nullptr : &*found;
}

std::optional<waiting_story> waited(const project& on, const run_report& report, asset_index asset) {
  const auto* mine = find_in(report, on.p->asset(asset).name);
  if (mine == nullptr || !mine->started_at || mine->attempts != 1)
    return std::nullopt;
  std::unordered_map<std::string_view, const asset_run_report*> by_name;
  for (const auto& other : report.assets)
    by_name.emplace(other.name, &other);
  waiting_story story;
  timestamp ready = report.run.started_at;
  for (const auto up : on.graph->upstream(asset)) {
    const auto found = by_name.find(on.p->asset(up).name);
    if (found == by_name.end() || !found->second->started_at)
      continue;
    const auto ended = *found->second->started_at + found->second->took;
    if (ended > ready && ended <= *mine->started_at) {
      ready = ended;
      story.last_needed = found->second->name;
    }
  }
  story.until_ready = ready - report.run.started_at;
  story.for_slot = *mine->started_at - ready;
  return story;
}

std::vector<std::string> explain_in_run(const project& on, const run_report& report, asset_index asset) {
  const auto* mine = find_in(report, on.p->asset(asset).name);
  if (mine == nullptr)
    return {"It was not part of the run: the run's selection leaves it out, or it did not exist yet."};
  std::vector<std::string> out;
  const auto error = mine->error.empty() ? "" : ": " + printable(mine->error);
  switch (mine->status) {
  case asset_status::succeeded:
    out.push_back("It ran and succeeded in " + to_human(mine->took) +
                  (mine->attempts > 1 ? " (" + attempts_text(*mine) + ")" : "") +
                  (mine->changed ? "; its data version changed."
                                 : "; its data version stayed the same, so it made nothing downstream stale."));
    break;
  case asset_status::failed:
    out.push_back(mine->attempts == 0 ? "It failed before it started" + error + "."
                                      : "It ran and failed (" + attempts_text(*mine) + ")" + error + ".");
    if (mine->allowed)
      out.push_back("It is allowed to fail (\"allow_failure\": true): what needs it ran all the same.");
    break;
  case asset_status::running:
    out.push_back(report.run.status == run_status::interrupted
                      ? "Attempt " + std::to_string(mine->attempts) + " was running when the supervisor died."
                      : "It is running: attempt " + std::to_string(mine->attempts) +
                            (mine->took > duration::zero() ? ", for " + to_human(mine->took) : "") + ".");
    break;
  case asset_status::retrying:
    out.push_back(was_given_up(*mine, report.run.status)
                      ? "It failed (" + attempts_text(*mine) + ")" + error +
                            ". It was to be tried again, but the run was interrupted first."
                      : "It waits out the delay before its next attempt; so far " + attempts_text(*mine) + error + ".");
    break;
  case asset_status::fresh:
    out.push_back(
        "It was not run: it was fresh. Nothing it is made from had changed, or what ran before it produced the data "
        "versions that were there already (early cut-off).");
    if (!mine->waits.empty())
      tell_waiting(out, on, report, asset);
    return out;
  case asset_status::blocked:
    if (!mine->error.empty() && mine->error != "needs " + mine->because)
      return {"It was not run: it needs " + printable(mine->because) + ", and " + printable(mine->error) + "."};
    return {"It was not run: it needs " + printable(mine->because) + ", which did not succeed."};
  case asset_status::skipped:
    if (mine->attempts == 0)
      return {"It was not run: it needs " + printable(mine->because) +
              ", which was skipped and was never made before."};
    out.push_back("Its command said that there is nothing to do" + error +
                  " (\"skip_exit_codes\"). What it made before counts.");
    break;
  case asset_status::cancelled:
    if (was_given_up(*mine, report.run.status)) {
      out.push_back("It failed (" + attempts_text(*mine) + ")" + error +
                    ". It was to be tried again, but the run was stopped first.");
      break;
    }
    out.push_back(mine->attempts == 0
                      ? "It was not started: the run was stopped before its turn came."
                      : "It was ended, because the run was stopped (" + attempts_text(*mine) + ")" + error + ".");
    break;
  case asset_status::waiting:
  case asset_status::ready: {
    const auto missing = unfinished_upstreams(on, report, asset);
    if (report.run.status == run_status::interrupted)
      out.push_back("Its turn had not come when the run was interrupted.");
    else if (!missing.empty())
      out.push_back("It waits for " + listed(missing, 10) + ".");
    else
      out.push_back("All it needs is there; it waits for a free worker" +
                    (pool_names(on, asset).empty() ? "" : " or room in " + listed(pool_names(on, asset), 5)) + ".");
    return out;
  }
  }
  for (const auto& why : mine->reasons)
    out.push_back(past_reason_sentence(why));
  tell_waiting(out, on, report, asset);
  if (mine->resources)
    out.push_back(use_sentence(*mine));
  for (const auto& warning : mine->warnings)
    out.push_back("Warning" + (mine->attempts > 1 ? " (attempt " + std::to_string(warning.attempt) + ")" : "") + ": " +
                  printable(warning.what.text) + " [" + printable(warning.what.code) + "]");
  return out;
}

} // namespace troupe_internal::cli
