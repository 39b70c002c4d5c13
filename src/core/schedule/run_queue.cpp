// Priorities that grow with waiting. Knows nothing of clocks: the time is handed in.
#include "core/schedule/run_queue.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <tuple>

namespace troupe_internal {
namespace {

std::int64_t minutes_waited(const queued_run& run, timestamp now) {
  return std::chrono::duration_cast<std::chrono::minutes>(std::max(now - run.queued_at, duration::zero())).count();
}

} // namespace

std::int64_t effective_priority(const queued_run& run, timestamp now) {
  return run.priority + std::min<std::int64_t>(minutes_waited(run, now), most_minutes_gained);
}

std::vector<std::size_t> order_of_queue(std::span<const queued_run> queued, timestamp now) {
  std::vector<std::size_t> order(queued.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) {
    return std::tuple(queued[i].cause == cause_kind::backfill, -effective_priority(queued[i], now), queued[i].sequence);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

std::optional<std::size_t> next_to_start(std::span<const queued_run> queued, std::span<const started_run> live,
                                         const queue_limits& limits, timestamp now) {
  if (live.size() >= limits.live_runs)
    return std::nullopt;
  const auto counted =
      std::count_if(live.begin(), live.end(), [](const started_run& one) { return one.cause != cause_kind::user; });
  const bool full = static_cast<std::uint64_t>(counted) >= limits.max_runs;
  for (const auto i : order_of_queue(queued, now)) {
    const auto& run = queued[i];
    if (full && run.cause != cause_kind::user)
      continue;
    const auto same_backfill = [&](const started_run& one) {
      return one.cause == cause_kind::backfill && one.trigger == run.trigger;
    };
    if (run.cause == cause_kind::backfill && std::any_of(live.begin(), live.end(), same_backfill))
      continue;
    return i;
  }
  return std::nullopt;
}

std::optional<timestamp> next_change(std::span<const queued_run> queued, timestamp now) {
  std::optional<timestamp> soonest;
  for (const auto& run : queued) {
    const auto minutes = minutes_waited(run, now);
    if (minutes >= most_minutes_gained)
      continue;
    const auto next = run.queued_at + std::chrono::minutes(minutes + 1);
    if (!soonest || next < *soonest)
      soonest = next;
  }
  return soonest;
}

} // namespace troupe_internal
