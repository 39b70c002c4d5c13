// What every journal store promises, checked on the one in memory and on LMDB.
#include "journal_fixtures.hpp"
#include "support/history.hpp"

using namespace troupe_internal;
using namespace troupe_internal::test;

#define ALL_STORES memory_fixture, lmdb_fixture

TEST_CASE_TEMPLATE("a new state is empty", fixture, ALL_STORES) {
  fixture f;
  const auto s = f.store().snapshot().value();
  check_same(*s, expected_state{});
  asset_record record;
  record.attempt_number = 7;
  CHECK_FALSE(s->read_asset(asset_id(0U), record).value());
  CHECK(record == asset_record{});
  CHECK_FALSE(s->read_run(run_number(1U)).value());
  CHECK_FALSE(s->read_checkpoint(run_number(1U)).value());
}

TEST_CASE_TEMPLATE("what was appended is there, in order, with its projections, now and after reopening", fixture,
                   ALL_STORES) {
  fixture f;
  history_maker history(1);
  expected_state expected;
  for (int round = 0; round < 150; ++round) {
    const auto batch = round % 40 == 39 ? history.reopen(round % 80 == 79) : history.next_batch();
    const auto last = f.store().append(batch);
    REQUIRE(last.has_value());
    expected.add(batch);
    CHECK(*last == expected.tables.state.last_seq);
    if (round % 40 == 39)
      f.reopen();
    if (round % 10 == 0)
      check_same(*f.store().snapshot().value(), expected);
  }
  check_same(*f.store().snapshot().value(), expected);
}

TEST_CASE_TEMPLATE("appending nothing changes nothing", fixture, ALL_STORES) {
  fixture f;
  history_maker history(2);
  const auto batch = history.next_batch();
  const auto last = f.store().append(batch).value();
  CHECK(f.store().append({}).value() == last);
}

TEST_CASE_TEMPLATE("events are visited from any sequence number on, until the visitor has enough", fixture,
                   ALL_STORES) {
  fixture f;
  history_maker history(3);
  expected_state expected;
  for (int round = 0; round < 60; ++round) {
    const auto batch = history.next_batch();
    REQUIRE(f.store().append(batch).has_value());
    expected.add(batch);
  }
  const auto s = f.store().snapshot().value();
  const auto last = expected.tables.state.last_seq;
  for (std::uint64_t from = 0; from <= last + 2; ++from) {
    std::vector<std::uint64_t> seen;
    bool same = true;
    REQUIRE(s->visit_events(from, [&](std::uint64_t seq, const event& e) {
               seen.push_back(seq);
               same = same && e == expected.events[seq - 1];
               return seen.size() < 3;
             }).has_value());
    std::vector<std::uint64_t> wanted;
    for (auto seq = std::max<std::uint64_t>(from, 1); seq <= last && wanted.size() < 3; ++seq)
      wanted.push_back(seq);
    CHECK(same);
    CHECK(seen == wanted);
  }
  int visited = 0;
  const auto one = [&](auto&&...) { return ++visited, false; };
  CHECK(s->visit_asset_names(one).has_value());
  CHECK(s->visit_paths(one).has_value());
  CHECK(s->visit_assets(one).has_value());
  CHECK(s->visit_files(one).has_value());
  CHECK(s->visit_runs_newest_first(one).has_value());
  CHECK(visited == 5);
}

TEST_CASE_TEMPLATE("a snapshot stays as it was taken", fixture, ALL_STORES) {
  fixture f;
  history_maker history(4);
  expected_state expected;
  auto batch = history.next_batch();
  REQUIRE(f.store().append(batch).has_value());
  expected.add(batch);
  const auto before = f.store().snapshot().value();
  const auto then = expected;
  for (int round = 0; round < 30; ++round) {
    batch = history.next_batch();
    REQUIRE(f.store().append(batch).has_value());
    expected.add(batch);
  }
  check_same(*before, then);
  check_same(*f.store().snapshot().value(), expected);
}

TEST_CASE_TEMPLATE("an event that breaks a rule fails the append and all after it; nothing of it is there", fixture,
                   ALL_STORES) {
  fixture f;
  history_maker history(5);
  expected_state expected;
  const auto batch = history.next_batch();
  REQUIRE(f.store().append(batch).has_value());
  expected.add(batch);
  const std::vector<event> bad = {writer_closed{}, attempt_started{run_number(1U), asset_id(99U)}};
  CHECK(f.store().append(bad).error().code == error_code::internal);
  CHECK_FALSE(f.store().append(history.next_batch()).has_value());
  CHECK_FALSE(f.store().write_checkpoint(run_number(1U), {}).has_value());
  CHECK_FALSE(f.store().retain(0, 100).has_value());
  check_same(*f.store().snapshot().value(), expected);
  f.reopen();
  check_same(*f.store().snapshot().value(), expected);
  CHECK(f.store().append(std::vector<event>{writer_closed{}}).has_value());
}

TEST_CASE_TEMPLATE("a checkpoint is replaced by the next, survives reopening, and is gone when its run ends", fixture,
                   ALL_STORES) {
  fixture f;
  const run_number run(1U);
  const std::vector<event> begin = {writer_opened{}, run_started{run}, run_started{run_number(2U)}};
  REQUIRE(f.store().append(begin).has_value());
  REQUIRE(f.store().write_checkpoint(run, {1, "one"}).has_value());
  REQUIRE(f.store().write_checkpoint(run, {2, std::string(100'000, 'x')}).has_value());
  REQUIRE(f.store().write_checkpoint(run_number(2U), {3, ""}).has_value());
  f.reopen();
  auto found = f.store().snapshot().value()->read_checkpoint(run).value();
  REQUIRE(found);
  CHECK(found->seq == 2);
  CHECK(found->bytes == std::string(100'000, 'x'));
  REQUIRE(f.store().append(std::vector<event>{run_finished{run}}).has_value());
  CHECK_FALSE(f.store().snapshot().value()->read_checkpoint(run).value());
  CHECK(f.store().snapshot().value()->read_checkpoint(run_number(2U)).value());
}

TEST_CASE_TEMPLATE("retention in steps of any size never changes what is true now", fixture, ALL_STORES) {
  for (const std::uint64_t step_size : {1ULL, 3ULL, 7ULL, 1'000ULL}) {
    fixture f;
    history_maker history(6 + step_size);
    expected_state expected;
    std::uint64_t dropped = 0;
    for (int round = 0; round < 120; ++round) {
      const auto batch = round % 30 == 29 ? history.reopen(false) : history.next_batch();
      REQUIRE(f.store().append(batch).has_value());
      expected.add(batch);
      if (round % 4 == 0) {
        const auto step = f.store().retain(2, step_size);
        REQUIRE(step.has_value());
        CHECK(step->events_dropped <= step_size);
        expected.drop(*step);
        dropped += step->events_dropped;
        check_same(*f.store().snapshot().value(), expected);
      }
    }
    CHECK(dropped > 10);
    f.reopen();
    check_same(*f.store().snapshot().value(), expected);
  }
}

TEST_CASE_TEMPLATE("retention says which runs it dropped and whether there is more to do", fixture, ALL_STORES) {
  fixture f;
  std::vector<event> events = {writer_opened{}, names_interned{asset_id(0U), {"demo/a"}}};
  for (std::uint32_t n = 1; n <= 3; ++n) {
    events.push_back(run_started{run_number(n)});
    attempt_finished end{run_number(n), asset_id(0U)};
    end.made.emplace();
    end.made->data_version = quick_digest(std::to_string(n));
    events.push_back(attempt_started{run_number(n), asset_id(0U)});
    events.push_back(end);
    events.push_back(run_finished{run_number(n)});
  }
  REQUIRE(f.store().append(events).has_value());
  REQUIRE(f.store().write_checkpoint(run_number(1U), {5, "left behind"}).has_value());
  CHECK(f.store().retain(3, 100).value().events_dropped == 2); // what came before the first run
  CHECK(f.store().retain(3, 100).value().events_dropped == 0);
  auto step = f.store().retain(1, 3).value();
  CHECK(step.events_dropped == 3);
  CHECK(step.runs_dropped == std::vector{run_number(1U)});
  CHECK(step.more);
  CHECK_FALSE(f.store().snapshot().value()->read_run(run_number(1U)).value());
  CHECK_FALSE(f.store().snapshot().value()->read_checkpoint(run_number(1U)).value());
  step = f.store().retain(1, 100).value();
  CHECK(step.events_dropped == 5);
  CHECK(step.runs_dropped == std::vector{run_number(2U)});
  CHECK_FALSE(step.more);
  CHECK(f.store().retain(1, 0).value().events_dropped == 0);
  const auto s = f.store().snapshot().value();
  CHECK(s->info().first_seq == 11);
  CHECK(s->info().last_run == run_number(3U));
  asset_record record;
  REQUIRE(s->read_asset(asset_id(0U), record).value());
  CHECK(record.last->made.data_version == quick_digest("3"));
  step = f.store().retain(0, 100).value();
  CHECK(step.runs_dropped == std::vector{run_number(3U)});
  CHECK_FALSE(step.more);
  CHECK(f.store().append(std::vector<event>{run_started{run_number(4U)}}).value() == 15);
}

TEST_CASE("in memory, what is not durable is lost in a crash, and appends fail when asked to") {
  memory_journal_store store;
  history_maker history(7);
  expected_state expected;
  const auto kept = history.next_batch();
  REQUIRE(store.append(kept).has_value());
  expected.add(kept);
  store.set_sync(false);
  REQUIRE(store.append(history.next_batch()).has_value());
  CHECK(store.durable_seq() == kept.size());
  store.crash();
  check_same(*store.snapshot().value(), expected);
  CHECK(store.events() == expected.events);
  store.fail_after(1);
  const std::vector<event> more = {writer_closed{}};
  REQUIRE(store.append(more).has_value());
  store.make_durable();
  CHECK(store.append(more).error().code == error_code::state_unusable);
  CHECK_FALSE(store.append(more).has_value());
  store.crash();
  CHECK(store.append(more).value() == kept.size() + 2);
}
