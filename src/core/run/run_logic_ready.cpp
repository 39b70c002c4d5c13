// Choosing among what is ready: priority (an asset's own, or of what needs it), then the longest path that is left,
// within workers and pools. Knows nothing of how an attempt ends.
#include "core/run/run_logic.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace troupe_internal {

bool run_logic::queued::operator<(const queued& other) const {
  return std::tie(priority, remaining, other.asset) < std::tie(other.priority, other.remaining, asset);
}

void run_logic::inherit_priorities() {
  for (std::uint32_t position = 0; position < state_.size(); ++position)
    priority_[position] = p_.settings_of(asset_index(index_[position])).priority;
  const auto& order = graph_.topological_order();
  for (auto asset = order.rbegin(); asset != order.rend(); ++asset) {
    if (!in_run(*asset) || is_final(at(*asset).status))
      continue;
    const auto urgent = priority_[position_[asset->value]];
    for (const auto needed : graph_.upstream(*asset))
      if (in_run(needed))
        priority_[position_[needed.value]] = std::max(priority_[position_[needed.value]], urgent);
  }
}

bool run_logic::pools_allow(const asset_settings& s, const asset_settings* kept_for) const {
  return std::all_of(s.pools.begin(), s.pools.end(), [&](const auto& need) {
    const auto size = p_.engine.pools.find(need.first);
    const auto used = pool_used_.find(need.first);
    std::uint64_t taken = used == pool_used_.end() ? 0 : used->second;
    if (kept_for != nullptr)
      if (const auto kept = kept_for->pools.find(need.first); kept != kept_for->pools.end())
        taken += kept->second;
    return taken + need.second <= (size == p_.engine.pools.end() ? 0 : size->second);
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
  return {priority_[position_[asset.value]], policy_.remaining[asset.value], asset.value};
}

void run_logic::put_in(ready_queue& queue, asset_index asset) {
  const auto& pools = p_.settings_of(asset).pools;
  queue[pool_need(pools.begin(), pools.end())].push(urgency_of(asset));
}

/// The most urgent; if its pools have no room for it, what is free there is kept for it, so that it does not wait for
/// as long as lesser ones keep coming: then the most urgent that leaves it that much.
std::optional<run_logic::candidate> run_logic::next_to_admit() {
  const auto first = most_urgent_candidate();
  if (!first)
    return std::nullopt;
  const auto& most_urgent = p_.settings_of(asset_index(first->who.asset));
  if (pools_allow(most_urgent, nullptr))
    return first;
  std::optional<candidate> next;
  visit_candidates([&](const candidate& one) {
    if (one.who.asset != first->who.asset && (!next || next->who < one.who) &&
        pools_allow(p_.settings_of(asset_index(one.who.asset)), &most_urgent))
      next = one;
  });
  return next;
}

asset_index run_logic::pop(ready_queue& queue, ready_queue::iterator line) {
  const asset_index asset(line->second.top().asset);
  line->second.pop();
  if (line->second.empty())
    queue.erase(line);
  return asset;
}

void run_logic::admit(decision& d, timestamp now) {
  if (state_.stopping() || claims_due_ > 0)
    return;
  while (state_.open_attempts() - held_.size() + reserved_ < policy_.workers) {
    const auto next = policy_.limited ? next_within_budget() : next_to_admit();
    if (!next)
      break;
    const asset_index asset(next->who.asset);
    if (next->from == &ready_) {
      examine(d, pop(ready_, next->line), phase::reserved);
    } else if (next->from == &stale_) {
      pop(stale_, next->line);
      --stale_count_;
      leave_phase(asset);
      start(d, asset, now);
    } else { // its turn has come while somebody looks: the slot waits for the answer
      leave_phase(asset);
      phase_[position_[asset.value]] = phase::reserved;
      waits_.admitted(position_[asset.value], now);
      ++reserved_;
      take_pools(p_.settings_of(asset));
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
  const auto position = position_[asset.value];
  phase_[position] = how;
  if (how == phase::reserved) {
    waits_.admitted(position, now_);
    ++reserved_;
    take_pools(p_.settings_of(asset));
  } else {
    waits_.examined_ahead(position, now_);
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
  started_at_[position] = ++moments_;
  const auto attempt = at(asset).attempts + 1;
  attempt_started started{state_.run(), ids_[asset.value], attempt, now, std::move(reasons_[position]), {}};
  waits_.admitted(position, now);
  started.waits = waits_.take(position);
  if (auto absent = absent_outputs_.extract(position))
    started.absent_outputs = std::move(absent.mapped());
  // What the attempt makes may be cleared by a later one only if it is known that it was not there before.
  d.strict = d.strict || settings.durability == durability::strict || !started.absent_outputs.empty();
  record(d, std::move(started));
  reasons_[position].clear();
  d.effects.emplace_back(grant_attempt{asset, attempt});
}

} // namespace troupe_internal
