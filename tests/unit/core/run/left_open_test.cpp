// Runs that were left open: their end, and how often they were resumed in vain.
#include "core/run/left_open.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;

namespace {

constexpr timestamp now{std::chrono::seconds(1000)};

run_state started_with(std::uint32_t assets) {
  run_started started;
  started.run = run_number(7U);
  started.waiting = {{asset_id(0U), asset_id(assets - 1)}};
  started.definitions.assign(assets, 1);
  run_state state;
  state.apply(started);
  return state;
}

attempt_started attempt(std::uint32_t asset, std::uint32_t number) {
  attempt_started e;
  e.run = run_number(7U);
  e.asset = asset_id(asset);
  e.attempt = number;
  return e;
}

attempt_finished ended(std::uint32_t asset, std::uint32_t number, outcome_kind how) {
  attempt_finished e;
  e.run = run_number(7U);
  e.asset = asset_id(asset);
  e.attempt = number;
  e.outcome = how;
  if (how == outcome_kind::succeeded)
    e.made.emplace();
  return e;
}

} // namespace

TEST_CASE("a run that was left open ends as cancelled, and what it had done stays done") {
  auto state = started_with(3);
  state.apply(attempt(0, 1));
  state.apply(ended(0, 1, outcome_kind::succeeded));
  state.apply(attempt(1, 1));
  state.apply(ended(1, 1, outcome_kind::interrupted));
  const auto events = end_of_left_open(state, now, "p/t", run_number(9U));
  REQUIRE(events.size() == 2);
  CHECK(std::get<assets_settled>(events[0]).assets.size() == 1);
  const auto& end = std::get<run_finished>(events[1]);
  CHECK(end.status == run_status::cancelled);
  CHECK(end.continued_by == run_number(9U));
  CHECK(end.trigger == "p/t");
  CHECK(end.counts[static_cast<std::size_t>(asset_status::succeeded)] == 1);
  CHECK(end.counts[static_cast<std::size_t>(asset_status::cancelled)] == 2);
  for (const auto& e : events)
    state.apply(e);
  CHECK(state.finished() == run_status::cancelled);
}

TEST_CASE("where all that is left was interrupted, there is nothing to settle before the end") {
  auto state = started_with(1);
  state.apply(attempt(0, 1));
  state.apply(ended(0, 1, outcome_kind::interrupted));
  CHECK(end_of_left_open(state, now, {}, {}).size() == 1);
}

TEST_CASE("resumptions count as vain until an attempt comes to an end of its own") {
  vain_resumptions counted;
  const auto resume = [&] { counted.add(run_resumed{run_number(7U), now, {}, true}); };
  resume();
  resume();
  CHECK(counted.count() == 2);
  counted.add(ended(0, 1, outcome_kind::interrupted)); // recorded by the next writer
  counted.add(ended(0, 1, outcome_kind::cancelled));
  CHECK(counted.count() == 2);
  counted.add(ended(0, 1, outcome_kind::exited)); // a failure is an end
  CHECK(counted.count() == 0);
  resume();
  counted.add(asset_found_fresh{run_number(7U), asset_id(0U), now, {}});
  CHECK(counted.count() == 0);
}

TEST_CASE("a stop in order is no crash: who deploys often loses no run") {
  vain_resumptions counted;
  for (int i = 0; i < 10; ++i) {
    counted.add(run_resumed{run_number(7U), now, {}, true});
    counted.add(run_stopping{run_number(7U), now, stop_cause::shutdown});
  }
  CHECK(counted.count() == 0);
  counted.add(run_resumed{run_number(7U), now, {}, true});
  counted.add(run_stopping{run_number(7U), now, stop_cause::failure});
  CHECK(counted.count() == 1);
}
