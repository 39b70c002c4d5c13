// What the simulation of many runs itself promises. The seeds of a normal test run are played by `simulate --runs`, see
// meson.build.
#include "simulated_runs.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal::test;

TEST_CASE("many runs: the same seed gives the same history, step for step and byte for byte; another seed another") {
  std::string before;
  for (std::uint64_t seed = 2001; seed <= 2060; ++seed) {
    const auto once = simulate_runs(seed, true);
    const auto again = simulate_runs(seed, true);
    CHECK(again.log == once.log);
    CHECK(again.journal == once.journal);
    CHECK(again.steps == once.steps);
    CHECK(once.log != before);
    before = once.log;
  }
}

TEST_CASE("many runs: what is played does not depend on whether the steps are written down") {
  for (std::uint64_t seed = 2101; seed <= 2130; ++seed)
    CHECK(simulate_runs(seed, false).journal == simulate_runs(seed, true).journal);
}

TEST_CASE("many runs: a history tells its steps in words") {
  const auto one = simulate_runs(3, true);
  CHECK(one.log.find("engine 1\n") != std::string::npos);
  CHECK(one.log.find("message ") != std::string::npos);
  CHECK(one.log.find("a calm run of pipeline 0") != std::string::npos);
  CHECK(simulate_runs(3).log.empty());
}
