// What becomes of events while runs are open, and when queued runs may start. All moments are handed in.
#include "core/trigger/event_rules.hpp"
#include "core/trigger/start_rules.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

using what = event_decision::what;
using open_runs = std::vector<open_trigger_run>;
using params = std::vector<std::pair<std::string, std::string>>;

event_rules rules_with(overlap_rule overlap, queue_rule queue = {1, false}) {
  event_rules rules;
  rules.overlap = overlap;
  rules.queue = queue;
  return rules;
}

event_rules debounced(std::string group = {}) {
  auto rules = rules_with(overlap_rule::queue);
  rules.quiet = 2s;
  rules.longest_quiet = 20s;
  rules.group = std::move(group);
  return rules;
}

open_trigger_run live(std::uint32_t run) {
  return {run_number(run), false, {}};
}
open_trigger_run waiting(std::uint32_t run, params with = {}) {
  return {run_number(run), true, std::move(with)};
}
open_trigger_run quiet(std::uint32_t run, std::string group = {}, params with = {}) {
  return {run_number(run), true, std::move(with), true, std::move(group)};
}

timestamp wall(std::int64_t seconds) {
  return timestamp(std::chrono::seconds(1'790'000'000 + seconds));
}

run_queued queued(start_conditions conditions = {}) {
  run_queued run;
  run.run = run_number(7U);
  run.pipeline = "demo";
  run.cause.kind = cause_kind::trigger;
  run.cause.trigger = "often";
  run.conditions = std::move(conditions);
  return run;
}

start_rule_map throttled(std::uint32_t runs, duration per) {
  start_rule rule;
  rule.throttle = throttle_rule{runs, per};
  return {{{"demo", "often"}, rule}};
}

constexpr duration boot_now = 1000s; // of the clock that never jumps

} // namespace

TEST_CASE("what becomes of an event while runs are open") {
  CHECK(decide_event(rules_with(overlap_rule::queue), open_runs(), {}).becomes == what::new_run);
  CHECK(decide_event(rules_with(overlap_rule::queue), open_runs{live(1)}, {}).becomes == what::new_run);
  const open_runs waits{live(1), waiting(2)};
  const auto joins = decide_event(rules_with(overlap_rule::queue), waits, {});
  CHECK(joins.becomes == what::join);
  CHECK(joins.joins == run_number(2U));
  CHECK(decide_event(rules_with(overlap_rule::queue), waits, {{"day", "x"}}).becomes == what::refuse);
  CHECK(decide_event(rules_with(overlap_rule::queue, {1000, true}), waits, {}).becomes == what::new_run);
  CHECK(decide_event(rules_with(overlap_rule::queue, {1, true}), waits, {}).becomes == what::refuse);
  CHECK(decide_event(rules_with(overlap_rule::skip), open_runs(), {}).becomes == what::new_run);
  CHECK(decide_event(rules_with(overlap_rule::skip), open_runs{live(1)}, {}).becomes == what::skip);
  const auto cancels = decide_event(rules_with(overlap_rule::cancel), open_runs{live(1)}, {});
  CHECK(cancels.becomes == what::new_run);
  CHECK(cancels.cancels_live);
  CHECK(decide_event(rules_with(overlap_rule::cancel), waits, {}).becomes == what::join);
  CHECK(decide_event(rules_with(overlap_rule::parallel), open_runs{live(1)}, {}).becomes == what::new_run);
}

TEST_CASE("coalesce: last lets events with other params join, equal does not") {
  auto rules = rules_with(overlap_rule::queue);
  const open_runs waits{waiting(2, {{"day", "x"}})};
  CHECK(decide_event(rules, waits, {{"day", "y"}}).becomes == what::refuse);
  CHECK(decide_event(rules, waits, {{"day", "x"}}).becomes == what::join);
  rules.coalesce = coalesce_rule::last;
  CHECK(decide_event(rules, waits, {{"day", "y"}}).joins == run_number(2U));
}

TEST_CASE("while a group is quiet, its events join it, whatever is open and however events are kept apart") {
  auto rules = debounced("a");
  rules.queue = {1000, true};
  const open_runs open{live(1), quiet(2, "a"), quiet(3, "b")};
  const auto joins = decide_event(rules, open, {});
  CHECK(joins.becomes == what::join);
  CHECK(joins.joins == run_number(2U));
  CHECK(decide_event(debounced("c"), open, {}).becomes == what::new_run);
  CHECK(decide_event(debounced("a"), open, {{"day", "x"}}).becomes == what::new_run);
  rules.overlap = overlap_rule::skip;
  CHECK(decide_event(rules, open, {}).becomes == what::join);
}

TEST_CASE("a run that is still quiet counts neither as open nor against the queue's bound") {
  auto rules = debounced("b");
  const open_runs open{quiet(2, "a")};
  CHECK(decide_event(rules, open, {}).becomes == what::new_run);
  rules.overlap = overlap_rule::skip;
  CHECK(decide_event(rules, open, {}).becomes == what::new_run);
  rules.overlap = overlap_rule::cancel;
  CHECK(!decide_event(rules, open, {}).cancels_live);
  CHECK(decide_event(rules, open_runs{live(1), quiet(2, "a")}, {}).cancels_live);
}

TEST_CASE("an event that is to run apart joins nothing and is held up by nothing") {
  auto rules = rules_with(overlap_rule::skip);
  rules.apart = true;
  CHECK(decide_event(rules, open_runs{live(1), waiting(2)}, {}).becomes == what::new_run);
  CHECK(conditions_for(rules, "demo/often", wall(0), {}).overlaps);
}

TEST_CASE("conditions come from the event, and jitter is the same for the same tick") {
  trigger of;
  of.name = "often";
  schedule_source schedule;
  schedule.ticks = interval_schedule{std::chrono::seconds(10), std::chrono::seconds(0)};
  schedule.zone = time_zone::utc();
  schedule.jitter = 5s;
  of.source = schedule;
  of.start_within = 1h;
  of.debounce = debounce_rule{2s, 20s, {}};
  auto rules = rules_of(of);
  rules.group = "g";
  const auto conditions = conditions_for(rules, "demo/often", wall(3), wall(0));
  CHECK(conditions.quiet == 2s);
  CHECK(conditions.latest == wall(23));
  CHECK(conditions.group == "g");
  CHECK(conditions.expires == wall(3600));
  CHECK(conditions == conditions_for(rules, "demo/often", wall(3), wall(0)));
  std::set<timestamp> moments;
  for (int tick = 0; tick < 50; ++tick) {
    const auto one = conditions_for(rules, "demo/often", wall(tick), wall(tick));
    CHECK(*one.not_before >= wall(tick));
    CHECK(*one.not_before <= wall(tick + 5));
    moments.insert(*one.not_before - std::chrono::seconds(tick));
  }
  CHECK(moments.size() > 40);
  CHECK(!conditions_for(rules, "demo/often", wall(3), {}).not_before); // an event that is no tick has no jitter
  CHECK(expiry_of(rules, wall(3), {}) == wall(3603));
}

TEST_CASE("spans without end stay moments") {
  auto rules = debounced();
  rules.longest_quiet = duration::max();
  rules.start_within = duration::max();
  const auto conditions = conditions_for(rules, "demo/often", wall(0), {});
  CHECK(*conditions.latest > wall(0));
  CHECK(*conditions.expires > wall(0));
  const auto moments = moments_of(conditions, wall(0), wall(0), boot_now);
  CHECK(moments.expires > boot_now);
  CHECK(moments.quiet_until == boot_now + 2s);
}

TEST_CASE("a debounced run waits until its quiet time has passed, and no longer than its latest moment") {
  const auto conditions = conditions_for(debounced(), "demo/often", wall(0), {});
  auto moments = moments_of(conditions, wall(0), wall(0), boot_now);
  const auto held = [&](duration when) { return held_back(queued(conditions), moments, {}, {}, {}, when); };
  REQUIRE(held(boot_now + 1s));
  CHECK(held(boot_now + 1s)->what == start_hold::debounce);
  CHECK(held(boot_now + 1s)->until == boot_now + 2s);
  CHECK(!held(boot_now + 2s));
  begin_quiet_again(moments, conditions, boot_now + 1s);
  CHECK(held(boot_now + 2s));
  CHECK(!held(boot_now + 3s));
  begin_quiet_again(moments, conditions, boot_now + 19s);
  CHECK(held(boot_now + 19s));
  CHECK(!held(boot_now + 20s));
  CHECK(words_of(*held(boot_now + 19s), queued(conditions), boot_now + 19s) ==
        "debounce: its trigger waits until no event has come for 2.0 s");
}

TEST_CASE("after a restart the quiet time begins again, and the latest moment is the old one") {
  const auto conditions = conditions_for(debounced(), "demo/often", wall(0), {});
  CHECK(moments_of(conditions, wall(0), wall(10), boot_now).quiet_until == boot_now + 2s);
  CHECK(moments_of(conditions, wall(0), wall(19), boot_now).quiet_until == boot_now + 1s);
  CHECK(moments_of(conditions, wall(0), wall(500), boot_now).quiet_until < boot_now);
  CHECK(moments_of(conditions, wall(0), wall(-500), boot_now).quiet_until == boot_now + 2s); // the clock was set back
}

TEST_CASE("jitter holds a tick's run until its moment") {
  start_conditions conditions;
  conditions.not_before = wall(3);
  const auto moments = moments_of(conditions, wall(0), wall(0), boot_now);
  // After a restart, though the clock was set back meanwhile.
  CHECK(moments_of(conditions, wall(0), wall(-40'000), boot_now).not_before == boot_now + 3s);
  const auto held = held_back(queued(conditions), moments, {}, {}, {}, boot_now + 1s);
  REQUIRE(held);
  CHECK(held->what == start_hold::clock);
  CHECK(words_of(*held, queued(conditions), boot_now + 1s) == "jitter: it starts in 2.0 s");
  CHECK(!held_back(queued(conditions), moments, {}, {}, {}, boot_now + 3s));
}

TEST_CASE("a throttle lets so many runs start in any span of its length") {
  const auto rules = throttled(2, 10s);
  start_ledger starts;
  const auto held = [&](duration when) { return held_back(queued(), {}, rules, {}, starts, when); };
  CHECK(!held(boot_now));
  starts.note("demo/often", boot_now);
  CHECK(!held(boot_now));
  starts.note("demo/often", boot_now + 4s);
  REQUIRE(held(boot_now + 5s));
  CHECK(held(boot_now + 5s)->what == start_hold::throttle);
  CHECK(held(boot_now + 5s)->until == boot_now + 10s);
  CHECK(words_of(*held(boot_now + 5s), queued(), boot_now + 5s) ==
        "throttle: 2 runs of its trigger started in the last 10.0 s");
  CHECK(!held(boot_now + 10s));
  starts.forget("demo/often", boot_now + 4s); // it did not start after all
  CHECK(!held(boot_now + 5s));
  starts.forget("demo/other", boot_now);
  start_conditions fired;
  fired.unthrottled = true;
  starts.note("demo/often", boot_now + 4s);
  CHECK(!held_back(queued(fired), {}, rules, {}, starts, boot_now + 5s));
}

TEST_CASE("starts are recalled from the journal, and one in the future was now") {
  const auto rules = throttled(1, 10s);
  start_ledger starts;
  starts.recall("demo/often", {wall(-100), wall(-4)}, wall(0), boot_now);
  const auto held = held_back(queued(), {}, rules, {}, starts, boot_now);
  REQUIRE(held);
  CHECK(held->until == boot_now + 6s);
  starts.recall("demo/often", {wall(5000)}, wall(0), boot_now); // the clock was set back
  CHECK(held_back(queued(), {}, rules, {}, starts, boot_now)->until == boot_now + 10s);
  for (int i = 0; i < 300; ++i)
    starts.note("demo/often", boot_now);
  CHECK(starts.full_until("demo/often", {100, 10s}, boot_now) == boot_now + 10s);
}

TEST_CASE("live runs of the trigger or of its pipeline hold a run up, as its rule says") {
  const std::vector<started_run> own{{cause_kind::trigger, "often", "demo"}};
  const std::vector<started_run> other{{cause_kind::user, "", "demo"}};
  start_rule_map rules;
  const auto held = [&](const std::vector<started_run>& lives) {
    return held_back(queued(), {}, rules, lives, {}, boot_now);
  };
  REQUIRE(held(own));
  CHECK(words_of(*held(own), queued(), boot_now) == "overlap: another run of its trigger is live");
  CHECK(!held(other));
  trigger of;
  of.scope = overlap_scope::pipeline;
  rules[{"demo", "often"}] = start_rule_of(of);
  REQUIRE(held(other));
  CHECK(words_of(*held(other), queued(), boot_now) == "overlap: another run of its pipeline is live");
  start_conditions apart;
  apart.overlaps = true;
  CHECK(!held_back(queued(apart), {}, rules, own, {}, boot_now));
  of.overlap = overlap_rule::parallel;
  rules[{"demo", "often"}] = start_rule_of(of);
  CHECK(!held(own));
  auto backfill = queued();
  backfill.cause.kind = cause_kind::backfill;
  CHECK(!held_back(backfill, {}, {}, own, {}, boot_now));
}
