// Choosing among what is ready: priority, then the longest path that is left, within workers and pools.
#include "core/run_logic.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe {

bool run_logic::queued::operator<(const queued& other) const {
  return std::tie(priority, remaining, other.asset) < std::tie(other.priority, other.remaining, asset);
}

bool run_logic::pools_allow(const asset_settings& s) const {
  return std::all_of(s.pools.begin(), s.pools.end(), [&](const auto& need) {
    const auto size = p_.engine.pools.find(need.first);
    const auto used = pool_used_.find(need.first);
    return (used == pool_used_.end() ? 0 : used->second) + need.second <=
           (size == p_.engine.pools.end() ? 0 : size->second);
  });
}

void run_logic::take_pools(const asset_settings& s) {
  for (const auto& [name, slots] : s.pools)
    pool_used_[name] += slots;
}

void run_logic::return_pools(const asset_settings& s) {
  for (const auto& [name, slots] : s.pools) {
    auto& used = pool_used_[name];
    TROUPE_CHECK(used >= slots, "a pool gets back more than was taken");
    used -= slots;
  }
}

run_logic::queued run_logic::urgency_of(asset_index asset) const {
  return {p_.settings_of(asset).priority, policy_.remaining[asset.value], asset.value};
}

void run_logic::enqueue(ready_queue& queue, asset_index asset) {
  const auto& pools = p_.settings_of(asset).pools;
  queue[pool_need(pools.begin(), pools.end())].push(urgency_of(asset));
}

run_logic::ready_queue::iterator run_logic::best_of(ready_queue& queue) {
  auto best = queue.end();
  for (auto at = queue.begin(); at != queue.end(); ++at) {
    if (best != queue.end() && !(best->second.top() < at->second.top()))
      continue;
    if (pools_allow(p_.settings_of(asset_index(at->second.top().asset))))
      best = at;
  }
  return best;
}

asset_index run_logic::pop(ready_queue& queue, ready_queue::iterator at) {
  const asset_index asset(at->second.top().asset);
  at->second.pop();
  if (at->second.empty())
    queue.erase(at);
  return asset;
}

void run_logic::admit(decision& d, timestamp now) {
  if (state_.stopping() || claims_due_ > 0)
    return;
  while (state_.open_attempts() + reserved_ < policy_.workers) {
    const auto stale = best_of(stale_);
    const auto ready = best_of(ready_);
    std::optional<queued> best;
    const auto consider = [&](const queued& one) {
      if (!best || *best < one)
        best = one;
    };
    if (stale != stale_.end())
      consider(stale->second.top());
    if (ready != ready_.end())
      consider(ready->second.top());
    for (const auto& one : looking_)
      if (pools_allow(p_.settings_of(asset_index(one.asset))))
        consider(one);
    if (!best)
      break;
    const asset_index asset(best->asset);
    auto& current = phase_[position_[asset.value]];
    if (current == phase::stale) {
      pop(stale_, stale);
      --stale_count_;
      leave_phase(asset);
      start(d, asset, now);
    } else if (current == phase::looking) { // its turn has come while somebody looks: the slot waits for the answer
      leave_phase(asset);
      current = phase::reserved;
      ++reserved_;
      take_pools(p_.settings_of(asset));
    } else {
      examine(d, pop(ready_, ready), phase::reserved);
    }
  }
  // Look ahead, so that a slot that falls free finds somebody examined: at most as many as there are workers.
  while (!ready_.empty() && looking_.size() + stale_count_ < policy_.workers) {
    auto best = ready_.begin();
    for (auto at = ready_.begin(); at != ready_.end(); ++at)
      if (best->second.top() < at->second.top())
        best = at;
    examine(d, pop(ready_, best), phase::looking);
  }
}

void run_logic::examine(decision& d, asset_index asset, phase how) {
  phase_[position_[asset.value]] = how;
  if (how == phase::reserved) {
    ++reserved_;
    take_pools(p_.settings_of(asset));
  } else {
    looking_.push_back(urgency_of(asset));
  }
  d.effects.emplace_back(examine_asset{asset});
}

void run_logic::leave_phase(asset_index asset) {
  auto& current = phase_[position_[asset.value]];
  if (current == phase::reserved) {
    --reserved_;
    return_pools(p_.settings_of(asset));
  } else if (current == phase::looking) {
    std::erase_if(looking_, [&](const queued& one) { return one.asset == asset.value; });
  }
  current = phase::idle;
}

void run_logic::start(decision& d, asset_index asset, timestamp now) {
  const auto& settings = p_.settings_of(asset);
  const auto position = position_[asset.value];
  take_pools(settings);
  const auto attempt = at(asset).attempts + 1;
  record(d, attempt_started{state_.run(), ids_[asset.value], attempt, now, std::move(reasons_[position])});
  reasons_[position].clear();
  d.strict = d.strict || settings.durability == durability::strict;
  d.effects.emplace_back(grant_attempt{asset, attempt});
}

} // namespace troupe
