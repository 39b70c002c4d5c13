// Runs as readers see them while writers come and go.
#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/system/system_clock.hpp"
#include "engine/project.hpp"
#include "engine/run_history.hpp"
#include "support/temporary_folder.hpp"
#include "unit/adapters/journal/child_process.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace troupe_internal::test;

TEST_CASE("a run that ends while somebody looks is running or has ended, and never interrupted") {
  const temporary_folder t;
  const auto state = t / "state";
  constexpr std::uint32_t runs = 400;
  constexpr std::uint32_t looks_limit = 1'000'000; // else a writer that fails would have it look for ever
  child_process writers([&] {
    system_clock clock;
    for (std::uint32_t n = 1; n <= runs; ++n) {
      const auto store = open_journal(state, {}, clock);
      run_started started;
      started.run = run_number(n);
      started.at = clock.now();
      run_finished finished;
      finished.run = started.run;
      finished.at = clock.now();
      finished.status = run_status::succeeded;
      if (!store || !(*store)->append(std::vector<event>{writer_opened{}, started}) ||
          !(*store)->append(std::vector<event>{finished, writer_closed{}}))
        return 1;
    }
    return 0;
  });
  std::uint32_t newest = 0;
  std::uint32_t looks = 0;
  std::uint32_t interrupted = 0;
  for (; newest < runs && looks < looks_limit; ++looks) {
    const auto seen = list_runs(state, 1);
    REQUIRE_MESSAGE(seen.has_value(), seen.error().message);
    if (seen->empty())
      continue;
    newest = seen->front().run.value;
    interrupted += seen->front().status == run_status::interrupted ? 1 : 0;
  }
  CHECK(newest == runs);
  CHECK(interrupted == 0);
  CHECK(writers.wait() == 0);
}

TEST_CASE("a run whose writer has died is interrupted") {
  const temporary_folder t;
  child_process writer([&] {
    system_clock clock;
    const auto store = open_journal(t / "state", {}, clock);
    run_started started;
    started.run = run_number(1U);
    return store && (*store)->append(std::vector<event>{writer_opened{}, started}) ? ::kill(::getpid(), SIGKILL) : 1;
  });
  REQUIRE(writer.wait() == -SIGKILL);
  const auto seen = list_runs(t / "state", 0);
  REQUIRE(seen.has_value());
  REQUIRE(seen->size() == 1);
  CHECK(seen->front().status == run_status::interrupted);
}

TEST_CASE("queued runs are listed among the others, and say so") {
  const temporary_folder t;
  const auto numbered = [](std::uint32_t n) {
    run_queued queued{run_number(n), {}, {}, "demo"};
    queued.id.bytes[15] = static_cast<std::uint8_t>(n);
    return queued;
  };
  {
    system_clock clock;
    const auto store = open_journal(t / "state", {}, clock);
    REQUIRE(store.has_value());
    const std::vector<event> events = {writer_opened{},
                                       numbered(1),
                                       run_started{run_number(2U)},
                                       run_finished{run_number(2U)},
                                       numbered(3),
                                       numbered(4),
                                       run_dequeued{run_number(3U), {}, dequeue_reason::expired},
                                       writer_closed{}};
    REQUIRE((*store)->append(events).has_value());
  }
  const auto state = t / "state";
  const auto statuses = [&](std::size_t limit) {
    std::string all;
    const auto runs = list_runs(state, limit);
    REQUIRE(runs.has_value());
    for (const auto& run : *runs)
      all += std::to_string(run.run.value) + " " + std::string(to_string(run.status)) + ", ";
    return all;
  };
  CHECK(statuses(0) == "4 queued, 3 cancelled, 2 succeeded, 1 queued, ");
  CHECK(statuses(1) == "4 queued, ");
  CHECK(statuses(3) == "4 queued, 3 cancelled, 2 succeeded, ");
  CHECK(statuses(4) == statuses(0));
  const auto report = read_run_report(state, run_number(1U));
  REQUIRE(report.has_value());
  CHECK(report->run.status == run_status::queued);
  CHECK(report->assets.empty());
  CHECK(read_run_report(state, run_number(3U))->run.dequeued == dequeue_reason::expired);
  CHECK(read_run_report(state, run_number(5U)).error().code == error_code::not_found);
  const auto snapshot = open_snapshot(state);
  REQUIRE(snapshot.has_value());
  CHECK(replay_run(**snapshot, run_number(1U)).error().message.find("is queued") != std::string::npos);
  CHECK(replay_run(**snapshot, run_number(3U)).error().message.find("never started") != std::string::npos);
}

TEST_CASE("every attempt of a run is read only where that is asked for") {
  const temporary_folder t;
  constexpr run_number run(1U);
  constexpr asset_id a(0U);
  const auto at = [](int second) { return from_unix_ns(std::int64_t{1'790'000'000 + second} * 1'000'000'000); };
  run_started start{run, {}, at(0)};
  start.waiting = {{a, a}};
  attempt_finished failed{run, a, 1, at(3), outcome_kind::exited, 75, 0, "exit status 75", true, at(4)};
  failed.resources.emplace().blocks_out = 8;
  {
    system_clock clock;
    const auto store = open_journal(t / "state", {}, clock);
    REQUIRE(store.has_value());
    const std::vector<event> events = {writer_opened{}, names_interned{a, {"demo/a"}, {}},
                                       start,           attempt_started{run, a, 1, at(1)},
                                       failed,          attempt_started{run, a, 2, at(4)}};
    REQUIRE((*store)->append(events).has_value());
  }
  const auto last = read_run_report(t / "state", run);
  REQUIRE(last.has_value());
  CHECK(last->assets.at(0).each_attempt.empty());
  CHECK_FALSE(last->assets.at(0).resources.has_value()); // those of the attempt before it are not its own
  const auto all = read_run_report(t / "state", run, report_detail::every_attempt);
  REQUIRE(all.has_value());
  const auto& each = all->assets.at(0).each_attempt;
  REQUIRE(each.size() == 2);
  CHECK(each[0].started_at == at(1));
  CHECK(each[0].ended_at == at(3));
  CHECK(each[0].took == std::chrono::seconds(2));
  CHECK(each[0].outcome == outcome_kind::exited);
  CHECK(each[0].exit_code == 75);
  CHECK(each[0].has_log);
  CHECK(each[0].resources->blocks_out == 8);
  CHECK(each[1].attempt == 2);
  CHECK_FALSE(each[1].ended_at.has_value());
  CHECK_FALSE(each[1].outcome.has_value());
}

TEST_CASE("a run whose events cannot follow each other is shown by nobody, and no process ends for it") {
  const temporary_folder t;
  constexpr run_number run(1U);
  constexpr asset_id a(0U);
  run_started start{run};
  start.waiting = {{a, a}};
  std::vector<event> events = {writer_opened{}, names_interned{a, {"demo/a"}, {}}, start};
  std::string words = "event 5: ";
  SUBCASE("a second first attempt") {
    events.insert(events.end(), {attempt_started{run, a}, attempt_started{run, a}});
    words += "attempts of an asset overlap";
  }
  SUBCASE("an end of another attempt") {
    events.insert(events.end(), {attempt_started{run, a}, attempt_finished{run, a, 2, {}, outcome_kind::exited}});
    words += "an attempt ended that is not open";
  }
  SUBCASE("a run that goes on behind its end") {
    events.insert(events.end(), {run_finished{run}, attempt_started{run, a}});
    words += "its run has ended before it";
  }
  {
    system_clock clock;
    const auto store = open_journal(t / "state", {}, clock);
    REQUIRE(store.has_value());
    REQUIRE((*store)->append(events).has_value());
  }
  const auto shown = read_run_report(t / "state", run);
  REQUIRE_FALSE(shown.has_value());
  CHECK(shown.error().code == error_code::state_unusable);
  CHECK_MESSAGE(shown.error().message.find(words) != std::string::npos, shown.error().message);
  const auto snapshot = open_snapshot(t / "state");
  REQUIRE(snapshot.has_value());
  const auto replayed = replay_run(**snapshot, run);
  REQUIRE_FALSE(replayed.has_value());
  CHECK(replayed.error().code == error_code::state_unusable);
  CHECK_MESSAGE(replayed.error().message.find(words) != std::string::npos, replayed.error().message);
}

TEST_CASE("a checkpoint of another run, or of other assets, is not folded on") {
  const temporary_folder t;
  constexpr run_number run(1U);
  run_started start{run};
  start.waiting = {{asset_id(0U), asset_id(1U)}};
  system_clock clock;
  const auto store = open_journal(t / "state", {}, clock);
  REQUIRE(store.has_value());
  REQUIRE((*store)
              ->append(std::vector<event>{writer_opened{}, names_interned{asset_id(0U), {"demo/a", "demo/b"}, {}},
                                          start, run_stopping{run}})
              .has_value());
  const auto replayed_with = [&](const run_started& of, std::uint64_t seq) {
    run_state state;
    state.apply(of);
    REQUIRE((*store)->write_checkpoint(run, {seq, state.encode()}).has_value());
    return replay_run(**(*store)->snapshot(), run);
  };
  CHECK(replayed_with(start, 3).has_value());
  CHECK_FALSE(replayed_with(start, 9).has_value());
  CHECK_FALSE(replayed_with(start, 1).has_value());
  auto other = start;
  other.waiting = {{asset_id(0U), asset_id(0U)}};
  CHECK_FALSE(replayed_with(other, 3).has_value());
  other = start;
  other.id.bytes[0] = 1;
  CHECK_FALSE(replayed_with(other, 3).has_value());
}
