// A run that is not alone: what it may start within a budget, what it asks for, and assets that are released from a
// hold, or blocked by what lies outside the run. Knows nothing of the other runs, nor how budgets and holds are made
// (core/schedule).
//
// While its budget is limited, a run starts attempts only when a budget comes: it takes what fits, most urgent first,
// and what it does not take at once goes back, as does what an attempt took when it ends. So between two inputs the
// budget is what is in use, and nobody has to remember who holds what.
#include "core/run/run_logic.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal {
namespace {

capacity bundle_of(const asset_settings& s) {
  return {1, s.pools};
}

} // namespace

/// Best first over the heap: the k most urgent of n in O(k log k).
std::vector<run_logic::queued> run_logic::ready_line::first(std::size_t most) const {
  std::vector<queued> found;
  const auto less_urgent = [this](std::size_t a, std::size_t b) { return c[a] < c[b]; };
  std::vector<std::size_t> next;
  const auto push = [&](std::size_t i) {
    if (i >= c.size())
      return;
    next.push_back(i);
    std::push_heap(next.begin(), next.end(), less_urgent);
  };
  push(0);
  while (!next.empty() && found.size() < most) {
    std::pop_heap(next.begin(), next.end(), less_urgent);
    const auto i = next.back();
    next.pop_back();
    found.push_back(c[i]);
    push(2 * i + 1);
    push(2 * i + 2);
  }
  return found;
}

void run_logic::on(decision& d, const budget_changed& in, timestamp now) {
  if (in.number <= obeys_)
    return;
  obeys_ = in.number;
  policy_.limited = in.budget.has_value();
  budget_ = in.budget;
  admit(d, now);
  budget_.reset();
}

void run_logic::on(decision& d, const asset_released& in, timestamp now) {
  if (!in_run(in.asset) || phase_[position_[in.asset.value]] != phase::held || state_.stopping() ||
      is_final(at(in.asset).status))
    return;
  const auto position = position_[in.asset.value];
  waits_.released(position, now);
  outside_.erase(position);
  if (in.blocked)
    outside_.emplace(position, *in.blocked);
  phase_[position] = phase::ready;
  enqueue(ready_, in.asset);
  admit(d, now);
}

capacity run_logic::used() const {
  capacity all;
  all.workers = state_.open_attempts() + reserved_ - static_cast<std::uint32_t>(held_.size());
  for (const auto& [pool, slots] : pool_used_)
    if (slots > 0)
      all.pools.emplace(pool, slots);
  return all;
}

std::optional<run_logic::candidate> run_logic::most_urgent_candidate() {
  std::optional<candidate> first;
  visit_candidates([&](const candidate& one) {
    if (!first || first->who < one.who)
      first = one;
  });
  return first;
}

/// The most urgent that fits. The arbiter keeps free what other runs keep from it; this run keeps
/// free what its own attempts keep from it, as without budgets.
std::optional<run_logic::candidate> run_logic::next_within_budget() {
  if (!budget_)
    return std::nullopt;
  const auto first = most_urgent_candidate();
  if (!first)
    return std::nullopt;
  const auto& most_urgent = p_.settings_of(asset_index(first->who.asset));
  const auto* kept_for = pools_allow(most_urgent, nullptr) ? nullptr : &most_urgent;
  std::optional<candidate> next;
  visit_candidates([&](const candidate& one) {
    const auto& settings = p_.settings_of(asset_index(one.who.asset));
    auto with_it = used();
    add(with_it, bundle_of(settings));
    if ((!next || next->who < one.who) && fits(with_it, *budget_) && pools_allow(settings, nullptr) &&
        (kept_for == nullptr || pools_allow(settings, kept_for)))
      next = one;
  });
  return next;
}

/// Nothing that this run's own options would keep from starting.
std::vector<capacity> run_logic::wants() {
  const auto first = most_urgent_candidate();
  const auto workers = used().workers;
  if (!first || state_.stopping() || workers >= policy_.workers)
    return {};
  const auto& most_urgent = p_.settings_of(asset_index(first->who.asset));
  const auto* kept_for = pools_allow(most_urgent, nullptr) ? nullptr : &most_urgent;
  const auto may_start = [&](asset_index asset) {
    const auto& settings = p_.settings_of(asset);
    return pools_allow(settings, nullptr) && (kept_for == nullptr || pools_allow(settings, kept_for));
  };
  std::vector<queued> all;
  for (const auto* queue : {&stale_, &ready_})
    for (const auto& [need, line] : *queue)
      if (may_start(asset_index(line.top().asset)))
        for (const auto& one : line.first(policy_.workers - workers))
          all.push_back(one);
  for (const auto& one : looking_)
    if (may_start(asset_index(one.asset)))
      all.push_back(one);
  std::sort(all.begin(), all.end(), [](const queued& a, const queued& b) { return b < a; });
  std::vector<capacity> bundles;
  for (const auto& one : all)
    bundles.push_back(bundle_of(p_.settings_of(asset_index(one.asset))));
  return bundles;
}

void run_logic::report_demand(decision& d) {
  if (!policy_.limited || state_.finished()) {
    reported_.reset();
    return;
  }
  run_demand demand{obeys_, used(), wants(), claims_due_ > 0};
  if (reported_ == demand)
    return;
  reported_ = std::move(demand);
  d.effects.emplace_back(demand_changed{*reported_});
}

void run_logic::block(decision& d, const blocked_outside& blocked, timestamp now) {
  const auto& [asset, because, message] = blocked;
  record(d,
         assets_settled{state_.run(), now, asset_status::blocked, message, {{ids_[asset.value], ids_[because.value]}}});
  settled(d, asset, asset_status::blocked, because, message);
  block_downstream(d, asset, because, now);
}

bool run_logic::block_if_due(decision& d, asset_index asset, timestamp now) {
  const auto found = outside_.extract(position_[asset.value]);
  if (found)
    block(d, found.mapped(), now);
  return !found.empty();
}

} // namespace troupe_internal
