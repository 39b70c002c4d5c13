// The order of the queue by hand and by properties, and a queue at work.
#include "core/schedule/run_queue.hpp"
#include "worlds.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

const timestamp noon = from_unix_ns(1'800'000'000'000'000'000);

queued_run of(std::uint32_t run, cause_kind cause, std::int32_t priority, int minutes_ago, std::string trigger = {}) {
  return {run_number(run), cause, priority, noon - std::chrono::minutes(minutes_ago), run, std::move(trigger)};
}
std::vector<std::uint32_t> numbers(const std::vector<queued_run>& queued) {
  std::vector<std::uint32_t> all;
  for (const auto i : order_of_queue(queued, noon))
    all.push_back(queued[i].run.value);
  return all;
}

} // namespace

TEST_CASE("priority counts, then waiting, then who came first; backfills come last") {
  CHECK(numbers({of(1, cause_kind::trigger, 0, 5), of(2, cause_kind::trigger, 6, 0), of(3, cause_kind::user, 5, 0),
                 of(4, cause_kind::backfill, 100, 0), of(5, cause_kind::trigger, 0, 4)}) ==
        std::vector<std::uint32_t>{2, 1, 3, 5, 4});
}

TEST_CASE("waiting counts for an hour at most, and a clock that was set back takes nothing away") {
  CHECK(effective_priority(of(1, cause_kind::user, 3, 600), noon) == 63);
  CHECK(effective_priority(of(1, cause_kind::user, 3, 59), noon) == 62);
  CHECK(effective_priority(of(1, cause_kind::user, 3, -600), noon) == 3);
  CHECK(effective_priority(of(1, cause_kind::user, -2'147'483'648, 0), noon) == -2'147'483'648);
}

TEST_CASE("runs of people are not held up by max_runs, and 64 runs are live at most") {
  const std::vector<queued_run> queued{of(1, cause_kind::trigger, 50, 0), of(2, cause_kind::user, 0, 0)};
  std::vector<started_run> live(2, started_run{cause_kind::program, {}});
  CHECK(next_to_start(queued, live, {3, 64}, noon) == 0);
  CHECK(next_to_start(queued, live, {2, 64}, noon) == 1);
  live.resize(64, started_run{cause_kind::user, {}});
  CHECK(next_to_start(queued, live, {2, 64}, noon) == std::nullopt);
  live.assign(63, started_run{cause_kind::user, {}}); // they do not count against max_runs
  CHECK(next_to_start(queued, live, {2, 64}, noon) == 0);
}

TEST_CASE("one backfill of a trigger is live at a time, and others start past it") {
  const std::vector<queued_run> queued{of(1, cause_kind::backfill, 0, 9, "daily"),
                                       of(2, cause_kind::backfill, 0, 5, "daily"),
                                       of(3, cause_kind::backfill, 0, 1, "hourly")};
  std::vector<started_run> live;
  CHECK(next_to_start(queued, live, {}, noon) == 0);
  live.push_back({cause_kind::backfill, "daily"});
  CHECK(next_to_start(queued, live, {}, noon) == 2);
  live[0].cause = cause_kind::trigger;
  CHECK(next_to_start(queued, live, {}, noon) == 0);
}

TEST_CASE("the order changes next when a run has waited for another whole minute") {
  std::vector<queued_run> queued{of(1, cause_kind::user, 0, 60), of(2, cause_kind::user, 0, 3)};
  queued[1].queued_at += std::chrono::seconds(20);
  CHECK(next_change(queued, noon) == noon + std::chrono::seconds(20));
  queued.pop_back();
  CHECK(next_change(queued, noon) == std::nullopt);
}

TEST_CASE("a run is overtaken only by runs that are more urgent than all that it has waited for") {
  CHECK(rc::check([] {
    std::vector<queued_run> queued;
    const auto count = *rc::gen::inRange<std::uint32_t>(2, 12);
    for (std::uint32_t i = 1; i <= count; ++i)
      queued.push_back(of(i, cause_kind::trigger, *rc::gen::inRange(-100, 101), static_cast<int>(2 * (count - i))));
    const auto order = numbers(queued);
    for (std::size_t a = 0; a < order.size(); ++a)
      for (std::size_t b = a + 1; b < order.size(); ++b) {
        const auto& first = queued[order[a] - 1];
        const auto& second = queued[order[b] - 1];
        if (first.sequence > second.sequence)
          RC_ASSERT(first.priority - second.priority >
                    2 * (static_cast<int>(first.sequence) - static_cast<int>(second.sequence)));
        else
          RC_ASSERT(second.priority - first.priority <= 2 * (static_cast<int>(second.sequence - first.sequence)));
      }
  }));
}

TEST_CASE("a queue at work keeps its limits, and nobody starves") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    CHECK_NOTHROW(play_queue(seed));
  }
}
