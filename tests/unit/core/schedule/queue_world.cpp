// Runs are queued, start and end at random times: limits hold, and waiting counts. Knows nothing of what runs do.
#include "core/schedule/run_queue.hpp"
#include "support/random_run.hpp"
#include "worlds.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace troupe_internal::test {

void play_queue(std::uint64_t seed) {
  seeded random(seed);
  const queue_limits limits{1 + random.below(3), 2 + random.below(5)};
  auto now = from_unix_ns(1'800'000'000'000'000'000);
  std::vector<queued_run> queued;
  std::vector<started_run> live;
  std::uint64_t sequence = 0;
  // One run is watched: a trigger's, of priority 0. All others have a higher priority, at most 60, and there are always
  // some.
  const auto special = run_number(1U);
  const auto special_since = now;
  bool special_waits = true;
  const auto enqueue = [&](cause_kind cause, std::int32_t priority) {
    const run_number number(++sequence);
    queued.push_back({number, cause, priority, now, sequence, cause == cause_kind::backfill ? "daily" : ""});
  };
  enqueue(cause_kind::trigger, 0);
  for (int step = 0; step < 1500; ++step) {
    now += std::chrono::seconds(random.below(120));
    if (!live.empty() && random.once_in(2))
      live.erase(live.begin() + random.below(static_cast<std::uint32_t>(live.size())));
    for (;;) {
      const auto backfills = std::count_if(queued.begin(), queued.end(),
                                           [](const queued_run& one) { return one.cause == cause_kind::backfill; });
      if (backfills < 3)
        enqueue(cause_kind::backfill, static_cast<std::int32_t>(random.below(100)));
      const bool quiet = step % 400 > 350; // only backfills come
      while (!quiet && queued.size() < 12)
        enqueue(static_cast<cause_kind>(random.below(3)), 1 + static_cast<std::int32_t>(random.below(60)));
      const auto next = next_to_start(queued, live, limits, now);
      if (!next)
        break;
      const auto started = queued[*next];
      const auto alike = [&](const started_run& one) {
        return one.cause == cause_kind::backfill && started.cause == cause_kind::backfill;
      };
      require(std::none_of(live.begin(), live.end(), alike), "two backfills of one trigger are live");
      for (const auto& other : queued) {
        require(started.cause != cause_kind::backfill || other.cause == cause_kind::backfill,
                "a backfill does not give way");
        if (other.cause != started.cause || other.run == started.run)
          continue;
        require(effective_priority(started, now) >= effective_priority(other, now) ||
                    started.cause == cause_kind::backfill,
                "a less urgent run starts first");
      }
      live.push_back({started.cause, started.trigger});
      queued.erase(queued.begin() + static_cast<std::ptrdiff_t>(*next));
      if (started.run == special)
        special_waits = false;
    }
    require(live.size() <= limits.live_runs, "more runs are live than may be");
    require(static_cast<std::uint64_t>(std::count_if(
                live.begin(), live.end(), [](const started_run& one) { return one.cause != cause_kind::user; })) <=
                limits.max_runs + 0U,
            "more runs of programs and triggers are live than may be");
    require(!special_waits || now - special_since < std::chrono::hours(2), "a run starves in the queue");
  }
}

} // namespace troupe_internal::test
