// Ticks against clocks that jump, crashes between any two appends, pauses and changes: what is remembered is the fold
// of the journal alone.
#include "core/journal/memory_tables.hpp"
#include "core/trigger/trigger_logic.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr const char* name = "demo/often";

trigger every(std::chrono::seconds distance, catch_up_rule rule = catch_up_rule::latest) {
  trigger of;
  of.name = "often";
  of.catch_up = rule;
  schedule_source schedule;
  schedule.ticks = interval_schedule{distance, 0s};
  schedule.zone = time_zone::utc();
  of.source = schedule;
  return of;
}

timestamp at(std::int64_t seconds) {
  return timestamp(std::chrono::seconds(1'790'000'000 + seconds));
}

/// What a supervisor would append, and what is remembered of it.
struct world {
  memory_tables tables;
  projector fold{tables};
  std::uint64_t seq = 0, event_number = 0;
  std::set<timestamp> fired;
  std::uint64_t missed = 0;

  void append(const event& e) {
    const auto done = fold.apply(++seq, e);
    REQUIRE_MESSAGE(done.has_value(), (done ? std::string() : done.error().message));
  }
  [[nodiscard]] const trigger_record& record() const { return tables.triggers.at(trigger_key(name)); }
  void take(const due_tick& tick, timestamp now) {
    event_taken e;
    e.event = ++event_number;
    e.trigger = name;
    e.at = now;
    e.nominal = tick.nominal;
    e.after = tick.after;
    append(e);
    append(event_settled{e.event, now, event_fate::skipped, {}, {}});
    CHECK_MESSAGE(fired.insert(tick.nominal).second, "a tick fires for the second time");
  }
  /// One look; `steps`: of what it finds, so many get on disk before the supervisor dies.
  schedule_look look(const trigger& of, timestamp now, std::size_t steps = 100'000) {
    auto found = look_at_schedule(of, record(), now);
    if (found.forget && steps-- > 0)
      append(trigger_changed{name, now, definition_of(of)});
    if (found.missed && steps > 0) {
      --steps;
      append(ticks_missed{name, now, found.missed->first, found.missed->last, found.missed->count});
      missed += found.missed->count;
    }
    for (const auto& tick : found.due) {
      if (steps == 0)
        break;
      --steps;
      take(tick, now);
    }
    return found;
  }
};

world begin(const trigger& of, timestamp now) {
  world made;
  made.append(trigger_changed{name, now, definition_of(of)});
  return made;
}

} // namespace

TEST_CASE("each tick has one fate, whatever dies in between, and the next one is always later") {
  std::mt19937_64 random(20261130);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    auto of = every(std::chrono::seconds(1 + below(5)), static_cast<catch_up_rule>(below(3)));
    of.late_after = std::chrono::seconds(1 + below(30));
    of.catch_up_max = static_cast<std::uint32_t>(1 + below(20));
    of.catch_up_window = std::chrono::seconds(10 + below(500));
    auto now = at(static_cast<std::int64_t>(below(1000)));
    auto here = begin(of, now);
    auto base = now;            // ticks from here on were watched
    std::uint64_t expected = 0; // of those before
    for (int step = 0; step < 60; ++step) {
      now += std::chrono::milliseconds(below(8) == 0 ? below(2'000'000) : below(4'000));
      const auto found = here.look(of, now, below(3) == 0 ? below(4) : 100'000);
      if (found.next && found.due.size() < most_ticks_a_look)
        CHECK(*found.next > now);
      if (below(12) == 0) {
        here.look(of, now);
        expected += of.schedule()->count(base, here.record().mark);
        here.append(trigger_paused{name, now, {}, {}});
        now += std::chrono::seconds(below(100));
        here.append(trigger_resumed{name, now, {}});
        base = now;
      }
    }
    here.look(of, now);
    expected += of.schedule()->count(base, here.record().mark);
    CHECK(here.fired.size() + here.missed == expected);
    const auto& record = here.record();
    CHECK(record.taken == expected);
    CHECK(record.pending == 0);
  }
}

TEST_CASE("a clock that is set back and forth makes no tick fire twice, and keeps none quiet for long") {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 200; ++round) {
    const auto of = every(1s, static_cast<catch_up_rule>(below(3)));
    auto now = at(100'000);
    auto here = begin(of, now);
    for (int step = 0; step < 100; ++step) {
      now += below(10) == 0 ? std::chrono::seconds(below(50'000)) - 25'000s : std::chrono::seconds(below(3));
      here.look(of, now);
    }
    const auto newest = *here.fired.rbegin();
    const auto known = here.fired.size();
    here.look(of, std::max(now, newest) + 1s); // what had not fired yet
    here.look(of, std::max(now, newest) + 2s);
    CHECK(here.fired.size() > known);
  }
}

TEST_CASE("after a wrong clock in the future, ticks of now fire") {
  const auto of = every(1s);
  auto here = begin(of, at(0));
  here.look(of, at(1));
  here.look(of, at(100'000'000)); // years ahead, for a moment
  here.look(of, at(2));
  const auto known = here.fired.size();
  here.look(of, at(3));
  CHECK(here.fired.contains(at(3)));
  CHECK(here.fired.size() == known + 1);
}

TEST_CASE("what becomes of ticks that nobody was there for") {
  auto of = every(10s);
  of.late_after = 60s;
  SUBCASE("none: they are one gap, counted and not walked through") {
    of.catch_up = catch_up_rule::none;
    auto here = begin(of, at(0));
    const auto found = here.look(of, at(1'000'000'000));
    REQUIRE(found.missed.has_value());
    CHECK(found.missed->first == at(0) + 10s);
    CHECK(found.due.size() + found.missed->count == 100'000'000);
    CHECK(found.due.front().nominal >= at(1'000'000'000) - 60s);
  }
  SUBCASE("latest: the newest, if no later one is due anyway") {
    auto rare = every(3600s);
    auto here = begin(rare, at(0));
    const auto now = *rare.schedule()->next(at(100'000)) + 120s;
    const auto found = here.look(rare, now);
    REQUIRE(found.due.size() == 1);
    CHECK(found.due[0].nominal == now - 120s);
    CHECK(found.missed->last == now - 120s - 3600s);
  }
  SUBCASE("all: the newest of them, oldest first, no more than the most") {
    of.catch_up = catch_up_rule::all;
    of.catch_up_max = 3;
    auto here = begin(of, at(0));
    const auto found = here.look(of, at(1000));
    REQUIRE(found.due.size() >= 3 + 6);
    CHECK(found.due[0].nominal < found.due[1].nominal);
    CHECK(found.due.size() + found.missed->count == of.schedule()->count(at(0), at(1000)));
  }
  SUBCASE("outside the window nothing is made up for") {
    auto rare = every(3600s);
    rare.catch_up_window = 60s;
    auto here = begin(rare, at(0));
    const auto found = here.look(rare, *rare.schedule()->next(at(100'000)) + 120s);
    CHECK(found.due.empty());
    CHECK(found.missed->count > 20);
  }
}

TEST_CASE("the journal refuses a tick that has fired") {
  const auto of = every(1s);
  auto here = begin(of, at(0));
  here.take({at(5), at(4)}, at(5));
  event_taken again;
  again.event = 2;
  again.trigger = name;
  again.at = at(6);
  again.nominal = at(5);
  again.after = at(4);
  CHECK_FALSE(here.fold.apply(here.seq + 1, again).has_value());
}

TEST_CASE("a backfill is for the ticks of its span that have not fired, and is no tick of its own") {
  const auto of = every(10s);
  auto state = begin(of, at(0));
  static_cast<void>(state.look(of, at(20))); // 10 and 20 fire
  const auto plan = plan_backfill(of, state.record(), at(-30), at(20), false);
  CHECK(plan.had_fired == 2);
  REQUIRE(plan.ticks.size() == 4);
  CHECK(plan.ticks.front() == due_tick{at(-30), at(-40)});
  CHECK(plan.ticks.back() == due_tick{at(0), at(-10)});
  const auto mark = state.record().mark;
  for (const auto& tick : plan.ticks) {
    event_taken e;
    e.event = ++state.event_number;
    e.trigger = name;
    e.source = event_source::backfill;
    e.at = at(21);
    e.nominal = tick.nominal;
    e.after = tick.after;
    state.append(e);
  }
  CHECK(state.record().mark == mark); // what is due stays due
  CHECK(plan_backfill(of, state.record(), at(-30), at(20), false).ticks.empty());
  CHECK(plan_backfill(of, state.record(), at(-30), at(20), true).ticks.size() == 6);
  event_taken again;
  again.event = ++state.event_number;
  again.trigger = name;
  again.source = event_source::backfill;
  again.nominal = at(-30);
  state.append(again);
  CHECK(plan_backfill(every(1s), state.record(), at(-90'000), at(0), false).too_many);
}

TEST_CASE("ticks that a pause leaves behind are counted, and those that have fired are not") {
  const auto of = every(10s);
  auto state = begin(of, at(0));
  static_cast<void>(state.look(of, at(20)));
  CHECK(!ticks_left_behind(of, state.record(), at(29)));
  CHECK(ticks_left_behind(of, state.record(), at(45)) == missed_gap{at(30), at(40), 2});
  CHECK(!ticks_left_behind(of, state.record(), at(-100)));
}
