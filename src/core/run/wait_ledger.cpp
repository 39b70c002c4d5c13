// Clocks that are started and stopped.
#include "core/run/wait_ledger.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// Time of a run does not go back; if a caller's does, nothing was waited.
duration span(timestamp from, timestamp to) {
  return std::max(to - from, duration::zero());
}

std::uint64_t whole_ms(duration waited) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(waited).count());
}

} // namespace

void wait_ledger::pool_clock::advance(timestamp now) {
  if (full_now)
    full[*full_now] += span(since, now);
  since = now;
}

void wait_ledger::has_all(std::uint32_t position, asset_id last, timestamp now) {
  auto& e = entries_[position];
  e.for_upstream = span(began_, now);
  e.last_upstream = last;
}

void wait_ledger::held(std::uint32_t position, run_number by, timestamp now) {
  auto& e = entries_[position];
  leave_queue(e, now);
  e.now = standing::held;
  e.since = now;
  e.holder = by;
}

void wait_ledger::released(std::uint32_t position, timestamp now) {
  auto& e = entries_[position];
  if (e.now == standing::held && e.holder.value != 0)
    e.for_hold += span(e.since, now);
  e.now = standing::elsewhere;
}

void wait_ledger::queued(std::uint32_t position, const pool_need& need, timestamp now) {
  auto& e = entries_[position];
  e.now = standing::queued;
  e.since = now;
  e.examined = false;
  if (need.empty())
    return;
  const auto clock = pools_.try_emplace(need, pool_clock{std::vector<duration>(need.size()), {}, now}).first;
  clock->second.advance(now);
  if (!e.pools)
    e.pools = std::make_unique<pool_waits>(pool_waits{clock, {}, std::vector<duration>(need.size())});
  e.pools->at_first = clock->second.full;
}

void wait_ledger::examined_ahead(std::uint32_t position, timestamp now) {
  auto& e = entries_[position];
  e.examined = true;
  e.examined_at = now;
}

void wait_ledger::leave_queue(entry& e, timestamp now) {
  if (e.now != standing::queued)
    return;
  e.now = standing::elsewhere;
  auto waited = span(e.since, now);
  if (e.pools) {
    auto& clock = e.pools->clock->second;
    clock.advance(now);
    for (std::size_t i = 0; i < clock.full.size(); ++i) {
      const auto for_pool = clock.full[i] - e.pools->at_first[i];
      e.pools->waited[i] += for_pool;
      waited -= std::min(waited, for_pool);
    }
  }
  e.for_worker += waited;
}

void wait_ledger::admitted(std::uint32_t position, timestamp now) {
  leave_queue(entries_[position], now);
}

void wait_ledger::needed_no_worker(std::uint32_t position) {
  auto& e = entries_[position];
  if (e.now != standing::queued)
    return;
  e.now = standing::elsewhere;
  if (e.examined)
    e.for_worker += span(e.since, e.examined_at);
}

std::vector<recorded_wait> wait_ledger::take(std::uint32_t position) {
  auto& e = entries_[position];
  std::vector<recorded_wait> all;
  const auto add = [&](recorded_wait one, duration waited) {
    one.ms = whole_ms(waited);
    if (one.ms > 0)
      all.push_back(std::move(one));
  };
  add({wait_kind::asset, e.last_upstream, {}, {}, 0}, e.for_upstream);
  add({wait_kind::hold, {}, e.holder, {}, 0}, e.for_hold);
  add({wait_kind::worker, {}, {}, {}, 0}, e.for_worker);
  if (e.pools)
    for (std::size_t i = 0; i < e.pools->waited.size(); ++i)
      add({wait_kind::pool, {}, {}, e.pools->clock->first[i].first, 0}, e.pools->waited[i]);
  e = {};
  return all;
}

void wait_ledger::note_pools(timestamp now, const std::function<std::optional<std::size_t>(const pool_need&)>& full) {
  for (auto& [need, clock] : pools_) {
    clock.advance(now);
    clock.full_now = full(need);
  }
}

} // namespace troupe_internal
