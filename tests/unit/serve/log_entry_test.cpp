// Fields of the log, from the sentences that the supervisor's parts write.
#include "serve/log_entry.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal::serve;

TEST_CASE("a sentence about a run or a trigger has it as a field") {
  const auto run = log_entry_of("run #42 of etl begins, for the trigger nightly");
  CHECK(run.run == 42);
  CHECK(run.pipeline == "etl");
  CHECK(run.level == log_level::info);
  const auto ended = log_entry_of("run #7 of etl: failed");
  CHECK(ended.pipeline == "etl");
  CHECK(ended.level == log_level::warning);
  const auto trigger = log_entry_of("trigger etl/nightly: 3 ticks were missed, from A to B");
  CHECK(trigger.pipeline == "etl");
  CHECK(trigger.trigger == "nightly");
  CHECK(trigger.level == log_level::warning);
  CHECK(trigger.run == 0);
  CHECK(log_entry_of("trigger alone is paused").trigger == "alone");
}

TEST_CASE("what is left out or waits is a warning, and all else is for information") {
  CHECK(log_entry_of("pipeline /a.json is left out: line 1").level == log_level::warning);
  CHECK(log_entry_of("run #3 stays interrupted: it waits").run == 3);
  CHECK(log_entry_of("serving 1 of 1 pipeline").level == log_level::info);
  CHECK(log_entry_of("run # of nobody").run == 0);
  CHECK(log_entry_of("").text.empty());
}
