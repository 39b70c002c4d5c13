// The arbiter in worlds of bundles, and some of its answers by hand.
#include "core/schedule/budgets.hpp"
#include "worlds.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace troupe_internal;
using namespace troupe_internal::test;

namespace {

void play(void (*world)(std::uint64_t), std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    CHECK_NOTHROW(world(seed));
  }
}

} // namespace

TEST_CASE("the shares of runs that always want more follow their weights, and no bundle waits for long") {
  play(play_saturated_runs, 40);
}

TEST_CASE("no more is in use than there is, no room idles, and nobody is stuck") {
  play(play_random_bundles, 150);
}

TEST_CASE("sharing each dimension alone is found out: runs hold one pool each and wait for the other") {
  bool stuck = false;
  for (std::uint64_t seed = 1; seed <= 100 && !stuck; ++seed) {
    try {
      play_random_bundles_each_dimension_alone(seed);
    } catch (const std::runtime_error& violation) {
      stuck = std::string(violation.what()).find("stuck") != std::string::npos;
    }
  }
  CHECK(stuck);
}

TEST_CASE("a bundle that needs a whole pool gets it") {
  play(play_whole_pool, 20);
}

TEST_CASE("real runs with messages in any order keep to the sizes and end") {
  play(play_live_runs, 1000);
}

TEST_CASE("a single run has everything and is told nothing") {
  arbiter shares({4, {{"net", 1}}});
  const budgeted_run only{run_number(7U), cause_kind::user, nullptr};
  CHECK(shares.share({&only, 1}).empty());
  CHECK(shares.share({&only, 1}).empty());
}

TEST_CASE(
    "a second run gets nothing before the first one obeys its limit, then what is free; the last has everything") {
  arbiter shares({3, {}});
  const capacity one{1, {}};
  run_demand first;
  run_demand second{0, {}, {one, one}, false};
  std::vector<budgeted_run> runs{{run_number(1U), cause_kind::user, nullptr}};
  CHECK(shares.share(runs).empty());
  runs.push_back({run_number(2U), cause_kind::user, &second});
  auto offers = shares.share(runs);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].run == run_number(1U));
  CHECK(offers[0].budget == capacity());
  CHECK(shares.share(runs).empty());

  first = {offers[0].number, {2, {}}, {one}, false};
  runs[0].demand = &first;
  offers = shares.share(runs);
  REQUIRE(offers.size() == 1); // one worker is free, and the runs are equal: the first in the list
  CHECK(offers[0].run == run_number(1U));
  CHECK(offers[0].budget == capacity{3, {}});
  first = {offers[0].number, {2, {}}, {one}, false}; // one attempt has ended, and one has started
  offers = shares.share(runs);
  REQUIRE(offers.size() == 1);
  CHECK(offers[0].run == run_number(2U));
  CHECK(offers[0].budget == one);

  runs.erase(runs.begin());
  offers = shares.share(runs);
  REQUIRE(offers.size() == 1);
  CHECK(!offers[0].budget.has_value());
  CHECK(offers[0].number == 2);
}

TEST_CASE("a run that waits for claims is granted nothing, and one that can never fit keeps nothing") {
  arbiter shares({2, {{"net", 1}}});
  run_demand first{0, {}, {{1, {}}}, true};
  run_demand second{0, {}, {{1, {{"net", 2}}}}, false};
  const std::vector<budgeted_run> runs{{run_number(1U), cause_kind::user, &first},
                                       {run_number(2U), cause_kind::backfill, &second}};
  CHECK(shares.share(runs).empty());
  CHECK(!shares.kept().has_value());
  first.expects_claims = false;
  CHECK(shares.share(runs).size() == 1);
}
