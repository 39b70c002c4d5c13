// Histories of triggers: some of many seeds, and a day of seconds.
#include "trigger_world.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal::test;

TEST_CASE("whatever happens to triggers, each event has one fate, no tick comes twice, and nothing is lost") {
  trigger_figures all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    trigger_figures one;
    CHECK_NOTHROW(one = simulate_triggers(seed));
    all.ticks += one.ticks;
    all.changes += one.changes;
    all.joined += one.joined;
    all.expired += one.expired;
    all.kills += one.kills;
  }
  for (const auto reached : {all.ticks, all.changes, all.joined, all.expired, all.kills})
    CHECK(reached > 0);
}

TEST_CASE("each second of a day fires once, though the supervisor is killed a thousand times") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    CHECK_NOTHROW(simulate_a_day_of_seconds(seed));
}
