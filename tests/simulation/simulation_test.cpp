// What the simulation itself promises. The seeds of a normal test run are played by `simulate`, see meson.build.
#include "simulated_run.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace troupe_internal::test;

TEST_CASE("the same seed gives the same history, step for step and byte for byte; another seed another") {
  std::string before;
  for (std::uint64_t seed = 2001; seed <= 2100; ++seed) {
    const auto once = simulate(seed, true);
    const auto again = simulate(seed, true);
    CHECK(again.log == once.log);
    CHECK(again.journal == once.journal);
    CHECK(again.steps == once.steps);
    CHECK(once.log != before);
    before = once.log;
  }
}

TEST_CASE("what is played does not depend on whether the steps are written down") {
  for (std::uint64_t seed = 2101; seed <= 2150; ++seed)
    CHECK(simulate(seed, false).journal == simulate(seed, true).journal);
}

TEST_CASE("a history tells its steps in words") {
  const auto one = simulate(3, true);
  CHECK(one.log.find("life 1\n") != std::string::npos);
  CHECK(one.log.find("message ") != std::string::npos);
  CHECK(one.log.find("the run's end is told") != std::string::npos);
  CHECK(simulate(3).log.empty());
}
