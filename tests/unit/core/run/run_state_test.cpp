// The fold of a run's events, and its bytes for checkpoints.
#include "core/run/run_state.hpp"

#include "core/run/reopening.hpp"
#include "support/pipeline_builder.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe_internal;

namespace {

/// Assets 3, 4, 5 and 9; 4 is fresh; 9 runs.
run_state some_state() {
  run_started started;
  started.run = run_number(5U);
  started.id.bytes[3] = 7;
  started.fresh = {{asset_id(4U), asset_id(4U)}};
  started.waiting = {{asset_id(3U), asset_id(3U)}, {asset_id(5U), asset_id(5U)}, {asset_id(9U), asset_id(9U)}};
  run_state state;
  state.apply(started);
  state.apply(attempt_started{run_number(5U), asset_id(9U), 1, {}, {}});
  return state;
}

} // namespace

TEST_CASE("ids become sorted, joined ranges") {
  CHECK(make_asset_set({asset_id(4U), asset_id(2U), asset_id(3U), asset_id(7U), asset_id(7U)}) ==
        asset_set{{asset_id(2U), asset_id(4U)}, {asset_id(7U), asset_id(7U)}});
  CHECK(make_asset_set({}).empty());
  CHECK(count_of({{asset_id(2U), asset_id(4U)}, {asset_id(7U), asset_id(7U)}}) == 4);
}

TEST_CASE("positions are dense, in order of id, and found both ways") {
  const auto state = some_state();
  REQUIRE(state.size() == 4);
  for (std::uint32_t i = 0; i < 4; ++i)
    CHECK(state.position(state.id_at(i)) == i);
  CHECK(state.id_at(3) == asset_id(9U));
  for (const auto absent : {0U, 2U, 6U, 8U, 10U, 4'000'000'000U})
    CHECK_FALSE(state.position(asset_id(absent)).has_value());
  CHECK_FALSE(run_state().position(asset_id(1U)).has_value());
}

TEST_CASE("events of other runs, of the whole state, and before the run's start change nothing") {
  auto state = some_state();
  const auto before = state;
  state.apply(run_stopping{run_number(6U), {}, stop_cause::user});
  state.apply(asset_found_fresh{run_number(4U), asset_id(3U), {}});
  state.apply(writer_opened{});
  state.apply(names_interned{asset_id(0U), {"x"}});
  run_started again;
  again.run = run_number(6U);
  state.apply(again);
  CHECK(state == before);
  run_state empty;
  empty.apply(run_stopping{run_number(5U), {}, stop_cause::user});
  CHECK(empty == run_state());
  CHECK_FALSE(empty.started());
}

TEST_CASE("a resume makes everything wait again that is not done, and keeps the numbers of attempts") {
  auto state = some_state();
  attempt_finished finished;
  finished.run = run_number(5U);
  finished.asset = asset_id(9U);
  finished.outcome = outcome_kind::exited;
  finished.retry_at = timestamp(std::chrono::seconds(3));
  state.apply(finished);
  CHECK(state.at(3).status == asset_status::retrying);
  CHECK(state.at(3).retry_delay == std::chrono::seconds(3));
  state.apply(run_stopping{run_number(5U), {}, stop_cause::user});
  state.apply(assets_settled{run_number(5U), {}, asset_status::cancelled, {}, {{asset_id(9U), asset_id(9U)}}});
  state.apply(assets_settled{run_number(5U), {}, asset_status::failed, "no input", {{asset_id(3U), asset_id(3U)}}});
  CHECK(state.at(0).refused);
  state.apply(assets_settled{run_number(5U), {}, asset_status::blocked, {}, {{asset_id(5U), asset_id(3U)}}});
  CHECK(state.at(2).because == asset_id(3U));
  state.apply(run_finished{run_number(5U), {}, run_status::cancelled, state.counts()});
  CHECK(state.finished() == run_status::cancelled);
  state.apply(run_resumed{run_number(5U), {}, {}});
  CHECK_FALSE(state.finished().has_value());
  CHECK_FALSE(state.stopping().has_value());
  CHECK(state.counts()[static_cast<std::size_t>(asset_status::waiting)] == 3);
  CHECK(state.counts()[static_cast<std::size_t>(asset_status::fresh)] == 1);
  CHECK(state.at(3).attempts == 1);
  CHECK(state.at(3).segment_attempts == 0);
  CHECK_FALSE(state.at(0).refused);
}

TEST_CASE("a resume makes wait again also what it names, though that was done") {
  auto state = some_state();
  attempt_finished finished;
  finished.run = run_number(5U);
  finished.asset = asset_id(9U);
  finished.made.emplace();
  state.apply(finished);
  CHECK(state.at(3).status == asset_status::succeeded);
  const auto fresh = state.counts()[static_cast<std::size_t>(asset_status::fresh)];
  state.apply(run_resumed{run_number(5U), {}, {{asset_id(9U), asset_id(9U)}}});
  CHECK(state.at(3).status == asset_status::waiting);
  CHECK(state.at(3).attempts == 1);
  CHECK(state.at(3).segment_attempts == 0);
  CHECK(state.counts()[static_cast<std::size_t>(asset_status::succeeded)] == 0);
  CHECK(state.counts()[static_cast<std::size_t>(asset_status::fresh)] == fresh);
}

TEST_CASE("a resume reopens what is lost, and all that needs an asset which waits") {
  test::pipeline_builder b;
  b.asset("lost");
  b.asset("after").deps({"lost"});
  b.asset("kept");
  b.asset("allowed").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("after_allowed").deps({"allowed", "kept"});
  const auto p = b.build();
  diagnostics found;
  const auto graph = *asset_graph::build(*p, found);
  const std::vector<asset_id> ids{asset_id(8U), asset_id(2U), asset_id(3U), asset_id(5U), asset_id(6U)};
  run_started started;
  started.run = run_number(1U);
  started.fresh = make_asset_set({ids[0], ids[1], ids[2]});
  started.waiting = make_asset_set({ids[3], ids[4]});
  run_state state;
  state.apply(started);
  state.apply(assets_settled{run_number(1U), {}, asset_status::failed, "no input", {{ids[3], ids[3]}}});
  state.apply(asset_found_fresh{run_number(1U), ids[4], {}});
  std::vector<std::string_view> asked;
  const auto reopened = reopened_by_resume(graph, ids, state, [&](asset_index asset) {
    asked.push_back(p->asset(asset).name);
    return p->asset(asset).name == "lost";
  });
  CHECK(reopened == make_asset_set({ids[0], ids[1], ids[4]}));
  CHECK(asked == std::vector<std::string_view>{"lost", "kept"}); // of the others it is known already
}

TEST_CASE("a checkpoint gives the state back, and no other bytes are taken for one") {
  auto state = some_state();
  state.apply(run_stopping{run_number(5U), {}, stop_cause::signal});
  const auto bytes = state.encode();
  const auto back = run_state::decode(bytes);
  REQUIRE(back.has_value());
  CHECK(*back == state);
  CHECK(back->open_attempts() == 1);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(run_state::decode(std::string_view(bytes).substr(0, length)).has_value());
  CHECK_FALSE(run_state::decode(bytes + "x").has_value());
  SUBCASE("every byte may be anything: a state or a refusal, never a crash") {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      for (const auto value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        auto wrong = bytes;
        wrong[i] = static_cast<char>(value);
        if (const auto decoded = run_state::decode(wrong))
          CHECK(decoded->size() == 4);
      }
  }
}

namespace {

/// What is impossible about an event that follows those of some_state(), in a state of ten assets; empty if nothing.
std::string problem_of(const event& e, run_state state = some_state()) {
  const char* problem = state.try_apply(e, 10);
  return problem == nullptr ? "" : problem;
}

run_state tried(std::initializer_list<event> events) {
  auto state = some_state();
  for (const auto& e : events)
    CHECK(state.try_apply(e, 10) == nullptr);
  return state;
}

} // namespace

TEST_CASE("events from outside that cannot follow are told, not folded") {
  constexpr run_number run(5U);
  constexpr asset_id a(9U); // attempt 1 of it is open
  attempt_finished ended{run, a, 1, {}, outcome_kind::exited, 1};
  const auto contains = [](const std::string& problem, const char* words) {
    CHECK_MESSAGE(problem.find(words) != std::string::npos, problem);
  };
  contains(problem_of(attempt_started{run, a, 2, {}, {}}), "overlap or skip");
  contains(problem_of(attempt_started{run, asset_id(3U), 2, {}, {}}), "overlap or skip");
  contains(problem_of(attempt_started{run, asset_id(4U), 1, {}, {}}), "cannot become");
  contains(problem_of(attempt_started{run, asset_id(7U), 1, {}, {}}), "not in its run");
  contains(problem_of(attempt_finished{run, asset_id(3U), 1, {}, outcome_kind::exited}), "not open");
  contains(problem_of(attempt_finished{run, a, 2, {}, outcome_kind::exited}), "not open");
  contains(problem_of(ended, tried({ended})), "not open");
  auto forged = ended;
  forged.resources = {{}, std::chrono::nanoseconds(-1), 1, false, 1, 1};
  contains(problem_of(forged), "less than no processor time");
  forged.resources = {{}, {}, std::uint64_t{1} << 51U, false, 1, 1};
  contains(problem_of(forged), "more than there can be");
  contains(problem_of(asset_found_fresh{run, a, {}}), "cannot become");
  contains(problem_of(asset_found_fresh{run, asset_id(8U), {}}), "not in its run");
  contains(problem_of(assets_settled{run, {}, asset_status::cancelled, {}, {{a, a}}}),
           "without the end of its attempt");
  contains(problem_of(assets_settled{run, {}, asset_status::retrying, {}, {{asset_id(3U), a}}}), "not final");
  contains(problem_of(run_finished{run, {}, run_status::failed, {}}), "ends while an attempt is open");
  contains(problem_of(run_resumed{run, {}, {}}), "resumed while an attempt is open");
  const run_finished over{run, {}, run_status::failed, {}};
  contains(problem_of(over, tried({ended, over})), "has ended before it");
  contains(problem_of(run_stopping{run, {}}, tried({ended, over})), "has ended before it");
  contains(problem_of(attempt_started{run, a, 2, {}, {}}, tried({ended, over})), "has ended before it");
  contains(problem_of(run_resumed{run, {}, {{asset_id(4U), asset_id(5U)}}}, tried({ended})), "wait again that waits");
  contains(
      problem_of(run_resumed{run, {}, {{asset_id(4U), asset_id(4U)}, {asset_id(4U), asset_id(4U)}}}, tried({ended})),
      "wait again that waits");
  contains(problem_of(run_resumed{run, {}, {{asset_id(0U), asset_id(0xFFFFFFFFU)}}}, tried({ended})), "not in its run");
  CHECK(problem_of(ended).empty());
  CHECK(problem_of(attempt_started{run_number(6U), asset_id(77U), 9, {}, {}}).empty()); // of another run
}

TEST_CASE("ranges of assets from outside are in order, apart, and of ids that have names") {
  const auto begun_with = [](asset_set fresh, asset_set waiting) {
    run_started e{run_number(1U)};
    e.fresh = std::move(fresh);
    e.waiting = std::move(waiting);
    run_state state;
    return state.try_apply(e, 10) == nullptr;
  };
  const auto range = [](std::uint32_t first, std::uint32_t last) { return std::pair(asset_id(first), asset_id(last)); };
  CHECK(begun_with({range(0, 3)}, {range(4, 4), range(6, 9)}));
  CHECK(begun_with({range(4, 6)}, {range(0, 3), range(7, 9)}));
  CHECK_FALSE(begun_with({range(0, 10)}, {}));
  CHECK_FALSE(begun_with({}, {range(0, 4'294'967'295)}));
  CHECK_FALSE(begun_with({range(3, 2)}, {}));
  CHECK_FALSE(begun_with({range(4, 5), range(0, 1)}, {}));
  CHECK_FALSE(begun_with({range(0, 4), range(4, 5)}, {}));
  CHECK_FALSE(begun_with({range(0, 4)}, {range(4, 5)}));
}

TEST_CASE("a checkpoint that no events make is not taken for one") {
  const auto state = some_state();
  const auto at_last = state.encode().size() - 31; // the entry of asset 9
  const auto with = [&](std::size_t at, char byte) {
    auto bytes = state.encode();
    bytes[at] = byte;
    return run_state::decode(bytes).has_value();
  };
  CHECK(with(at_last + 1, 3));
  CHECK_FALSE(with(at_last + 1, 0)); // runs, and no attempt is open
  CHECK_FALSE(with(at_last, 0));     // waits, and one is open
  CHECK_FALSE(with(at_last + 3, 0)); // more attempts in the segment than in all
  CHECK_FALSE(with(at_last + 7, 0)); // one is open, and none was started
}

TEST_CASE("a resumed run is as one that folds all of it, whatever was touched before") {
  constexpr run_number run(5U);
  constexpr asset_id a(9U);
  auto state =
      tried({attempt_finished{run, a, 1, {}, outcome_kind::exited, 1}, run_resumed{run, {}, {}},
             attempt_started{run, a, 2, {}, {}}, attempt_finished{run, a, 2, {}, outcome_kind::interrupted},
             assets_settled{run, {}, asset_status::blocked, {}, {{asset_id(3U), a}}}, run_resumed{run, {}, {}}});
  CHECK(state.counts()[static_cast<std::size_t>(asset_status::waiting)] == 3);
  CHECK(state.at(3).attempts == 2);
  CHECK(state.at(3).segment_attempts == 0);
  auto kept = run_state::decode(state.encode());
  REQUIRE(kept.has_value());
  CHECK(kept->try_apply(asset_found_fresh{run, asset_id(3U), {}}, 10) == nullptr);
  CHECK(kept->try_apply(run_resumed{run, {}, {}}, 10) == nullptr);
  CHECK(kept->at(0).status == asset_status::fresh);
}
