// Successes that are held: an attempt has discovered inputs that other assets of the run make, and not all of these
// were settled when it started. Knows who waits for whom; does not know what a file holds.
//
// The success is recorded once nobody can write those inputs any more and they are as they were before the attempt;
// else the attempt is outdated and made once more. A held attempt is open, but nothing of it runs: it takes no worker
// and no pool. Whoever needs the asset waits. A maker that waits for the asset itself is not waited for, so nobody
// waits for ever; what the asset read of it may be old, and the next plan finds the asset stale.
#include "core/run/run_logic.hpp"

#include "core/model/warning.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace troupe_internal {

/// Not settled, and started or going to be.
bool run_logic::may_still_write(asset_index maker) const {
  return in_run(maker) && !is_final(at(maker).status) && (!state_.stopping() || at(maker).open);
}

/// By the graph, or as a held success waits.
bool run_logic::waits_for(asset_index from, asset_index to) const {
  std::vector<asset_index> found{from};
  std::unordered_set<std::uint32_t> seen{from.value};
  for (std::size_t next = 0; next < found.size(); ++next) {
    const auto asset = found[next];
    if (asset == to)
      return true;
    if (!in_run(asset) || is_final(at(asset).status))
      continue;
    const auto go_on = [&](asset_index needed) {
      if (seen.insert(needed.value).second)
        found.push_back(needed);
    };
    for (const auto upstream : graph_.upstream(asset))
      go_on(upstream);
    if (const auto held = held_.find(position_[asset.value]); held != held_.end())
      for (const auto maker : held->second.awaited)
        go_on(maker);
  }
  return false;
}

bool run_logic::hold(decision& d, const attempt_ended& in) {
  if (in.makers.empty() || in.outcome != outcome_kind::succeeded)
    return false;
  const auto position = position_[in.asset.value];
  held_success held{in, {}, false};
  bool overlapped = false; // some maker may have written while the attempt read
  for (const auto maker : in.makers) {
    if (!in_run(maker) || maker == in.asset)
      continue;
    if (is_final(at(maker).status)) {
      overlapped = overlapped || settled_at_[position_[maker.value]] > started_at_[position];
    } else if (waits_for(maker, in.asset)) {
      const std::string name(p_.asset(in.asset).name);
      const std::string other(p_.asset(maker).name);
      d.effects.emplace_back(tell_warning{
          in.asset,
          make_warning("discovered_cycle", "it discovered an input that asset " + other + " makes, and " + other +
                                               " itself needs " + name + ": " + name + " was made from what " + other +
                                               " made before, and is stale again. Remove one of the two "
                                               "dependencies")});
    } else {
      overlapped = true;
      if (may_still_write(maker))
        held.awaited.push_back(maker);
    }
  }
  if (!overlapped)
    return false;
  held_.emplace(position, std::move(held));
  no_longer_awaited(d);
  return true;
}

/// Lets go of makers that can no longer write; held successes that wait for no others are checked.
void run_logic::no_longer_awaited(decision& d) {
  for (auto& [position, held] : held_) {
    std::erase_if(held.awaited, [&](asset_index maker) { return !may_still_write(maker); });
    if (!held.awaited.empty() || std::exchange(held.checking, true))
      continue;
    d.effects.emplace_back(check_discovered{held.ended.asset, held.ended.attempt});
  }
}

void run_logic::on(decision& d, const discovered_checked& in, timestamp now) {
  if (!in_run(in.asset))
    return;
  const auto found = held_.find(position_[in.asset.value]);
  if (found == held_.end() || !found->second.checking || found->second.ended.attempt != in.attempt)
    return;
  const auto ended = std::move(found->second.ended);
  held_.erase(found);
  if (in.as_before)
    conclude(d, ended, now);
  else
    make_once_more(d, ended, now);
  admit(d, now);
}

/// Outside the retry budget. What it would be made from must not be what a failed or cancelled maker left.
void run_logic::make_once_more(decision& d, const attempt_ended& in, timestamp now) {
  std::string makers;
  std::optional<asset_index> failed;
  for (const auto maker : in.makers) {
    if (!in_run(maker) || maker == in.asset)
      continue;
    makers += (makers.empty() ? "" : ", ") + std::string(p_.asset(maker).name);
    const auto status = at(maker).status;
    if (status == asset_status::cancelled || (status == asset_status::failed && !satisfied(maker)))
      failed = maker;
  }
  attempt_finished finished;
  finished.run = state_.run();
  finished.asset = ids_[in.asset.value];
  finished.attempt = in.attempt;
  finished.at = now;
  finished.outcome = outcome_kind::outdated;
  finished.message = "an input that it discovered has changed since it started (made by: " + makers + ")";
  finished.has_log = in.has_log;
  finished.resources = in.resources;
  if (!state_.stopping())
    finished.retry_at = now;
  d.strict = d.strict || p_.settings_of(in.asset).durability == durability::strict;
  record(d, std::move(finished));
  if (state_.stopping()) {
    settled(d, in.asset, at(in.asset).status, in.asset);
  } else if (failed) {
    record(d,
           assets_settled{state_.run(), now, asset_status::blocked, {}, {{ids_[in.asset.value], ids_[failed->value]}}});
    settled(d, in.asset, asset_status::blocked, *failed);
    block_downstream(d, in.asset, *failed, now);
  } else {
    phase_[position_[in.asset.value]] = phase::ready;
    enqueue(ready_, in.asset);
  }
}

} // namespace troupe_internal
