// What schedulers have been complained about, and what happens here instead. The names say the complaint.
#include "core/journal/memory_tables.hpp"
#include "core/trigger/event_rules.hpp"
#include "core/trigger/trigger_logic.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr const char* often = "shop/often";

timestamp when(const char* text) {
  const auto moment = parse_moment(text);
  REQUIRE(moment);
  return *moment;
}

trigger at_times(const char* expression) {
  trigger of;
  of.name = "often";
  const auto read = cron_expression::parse(expression);
  REQUIRE(read.has_value());
  schedule_source schedule;
  schedule.zone = time_zone::utc();
  schedule.ticks = cron_schedule({*read}, schedule.zone);
  of.source = schedule;
  return of;
}

/// What a supervisor remembers of one trigger: the fold of what it appended.
struct memory {
  memory_tables tables;
  projector fold{tables};

  result<void> apply(const event& e) { return fold.apply(tables.state.last_seq + 1, e); }
  void operator()(const event& e) { REQUIRE(apply(e).has_value()); }
  [[nodiscard]] const trigger_record& record() const { return tables.triggers.at(trigger_key(often)); }
  [[nodiscard]] static event_taken tick_at(timestamp nominal, std::uint64_t number) {
    event_taken e;
    e.event = number;
    e.trigger = often;
    e.nominal = nominal;
    e.after = nominal - 1s;
    return e;
  }
};

memory known(const trigger& of, timestamp since) {
  memory made;
  made(trigger_changed{often, since, definition_of(of)});
  return made;
}

} // namespace

TEST_CASE("an edited schedule does not run at once for a time of today that has passed") {
  const auto before = at_times("15 1 * * *");
  const auto after = at_times("15 2 * * *");
  auto state = known(before, when("2026-03-01T00:00Z"));
  CHECK(definition_of(before) != definition_of(after));
  state(trigger_changed{often, when("2026-03-10T10:00Z"), definition_of(after)});
  const auto look = look_at_schedule(after, state.record(), when("2026-03-10T10:01Z"));
  CHECK(look.due.empty());
  CHECK(!look.missed);
  CHECK(look.next == when("2026-03-11T02:15Z"));
}

TEST_CASE("another description or other params do not make a schedule a new one") {
  const auto of = at_times("15 1 * * *");
  auto described = of;
  described.description = "something else";
  described.params["day"] = {};
  described.overlap = overlap_rule::cancel;
  CHECK(definition_of(of) == definition_of(described));
}

TEST_CASE("ticks of a pause are not made up for when it ends") {
  const auto of = at_times("0 * * * *");
  auto state = known(of, when("2026-03-10T00:30Z"));
  state(trigger_paused{often, when("2026-03-10T00:40Z"), {}, {}});
  state(trigger_resumed{often, when("2026-03-10T03:30Z"), {}});
  const auto look = look_at_schedule(of, state.record(), when("2026-03-10T03:31Z"));
  CHECK(look.due.empty());
  CHECK(!look.missed);
  CHECK(look.next == when("2026-03-10T04:00Z"));
}

TEST_CASE("a schedule that was down for weeks fires once, and has not run away from its next tick") {
  auto of = at_times("* * * * *");
  auto state = known(of, when("2026-03-01T00:00Z"));
  const auto weeks_later = when("2026-03-21T00:00:30Z"); // 28,800 ticks later
  const auto look = look_at_schedule(of, state.record(), weeks_later);
  CHECK(look.due.size() == 1);
  CHECK(look.due.front().nominal == when("2026-03-21T00:00Z"));
  REQUIRE(look.missed);
  CHECK(look.missed->count == 28'799);
  CHECK(look.next == when("2026-03-21T00:01Z"));
}

TEST_CASE("after twelve missed ticks one run comes, and not twelve at a time") {
  const auto of = at_times("0 * * * *");
  auto state = known(of, when("2026-03-10T00:30Z"));
  const auto look = look_at_schedule(of, state.record(), when("2026-03-10T12:30Z"));
  CHECK(look.due.size() == 1);
  CHECK(look.missed->count == 11);
}

TEST_CASE("a slow run does not stretch the schedule: each tick that it swallows is on record") {
  const auto of = at_times("* * * * *");
  event_rules rules;
  rules.overlap = overlap_rule::skip;
  std::vector<open_trigger_run> open;
  int fired = 0;
  int skipped = 0;
  auto tick_time = when("2026-03-10T00:00Z");
  for (int tick = 0; tick < 60; ++tick) {
    tick_time = *of.schedule()->next(tick_time);
    if (tick % 3 == 0)
      open.clear(); // a run takes two and a half minutes
    if (decide_event(rules, open, {}).becomes == event_decision::what::new_run) {
      ++fired;
      open.push_back({run_number(static_cast<std::uint32_t>(tick + 1)), false, {}, false, {}});
    } else {
      ++skipped;
    }
  }
  CHECK(fired == 20);
  CHECK(skipped == 40);
  CHECK(tick_time == when("2026-03-10T01:00Z"));
}

TEST_CASE("one tick never becomes two runs: the journal itself refuses the second") {
  const auto of = at_times("0 * * * *");
  auto state = known(of, when("2026-03-10T00:30Z"));
  state(memory::tick_at(when("2026-03-10T01:00Z"), 1));
  const auto again = state.apply(memory::tick_at(when("2026-03-10T01:00Z"), 2));
  REQUIRE(!again.has_value());
  CHECK(again.error().message.find("a tick fires for the second time") != std::string::npos);
}
