// What each event changes, and the rules it may not break.
#include "core/journal/memory_tables.hpp"
#include "core/model/retention.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

constexpr timestamp t0 = from_unix_ns(1'790'000'000'000'000'000);

/// Folds events in order into tables in memory.
struct folded {
  memory_tables tables;
  projector fold{tables};
  result<void> apply(const event& e) { return fold.apply(tables.state.last_seq + 1, e); }
  void operator()(const event& e) { REQUIRE(apply(e).has_value()); }
};

/// Two assets, two paths, a writer and run 1 open.
void begin(folded& f) {
  f(writer_opened{t0, "boot", 1});
  f(names_interned{asset_id(0U), {"demo/a", "demo/b"}});
  f(paths_interned{path_id(0U), {"demo/in", "demo/out"}});
  run_started start{run_number(1U), {}, t0, "demo"};
  start.fresh = {{asset_id(1U), asset_id(1U)}};
  start.waiting = {{asset_id(0U), asset_id(0U)}};
  f(start);
}

attempt_finished success(run_number run, asset_id asset, std::uint32_t attempt, const char* version) {
  attempt_finished e{run, asset, attempt, t0 + 2s};
  e.made.emplace();
  e.made->data_version = quick_digest(version);
  return e;
}

constexpr run_number run1(1U);
constexpr asset_id a(0U);

} // namespace

TEST_CASE("an attempt is open from its start to its end, and found again by what it spawned") {
  folded f;
  begin(f);
  f(attempt_started{run1, a, 1, t0 + 1s, {{reason_kind::forced, ""}}});
  CHECK(f.tables.assets.at(a).attempt == attempt_state::running);
  CHECK(f.tables.open_attempts.at({run1, a}).process_group == 0);
  f(attempt_spawned{run1, a, 1, 77, 88});
  const open_attempt expected{a, run1, 1, t0 + 1s, 77, 88, "boot"};
  CHECK(f.tables.open_attempts.at({run1, a}) == expected);
  f(attempt_spawned{run1, a, 2, 99, 99}); // of no attempt that is open
  CHECK(f.tables.open_attempts.at({run1, a}) == expected);
  f(success(run1, a, 1, "v1"));
  CHECK(f.tables.open_attempts.empty());
  const auto& record = f.tables.assets.at(a);
  CHECK(record.attempt == attempt_state::succeeded);
  CHECK(record.attempt_reasons == std::vector<reason>{{reason_kind::forced, ""}});
  REQUIRE(record.last);
  CHECK(record.last->run == run1);
  CHECK(record.last->finished_at == t0 + 2s);
  CHECK(record.last->made.data_version == quick_digest("v1"));
}

TEST_CASE("a failure keeps the last materialization; a retry keeps the reasons") {
  folded f;
  begin(f);
  f(attempt_started{run1, a, 1, t0, {{reason_kind::always, ""}}});
  f(success(run1, a, 1, "v1"));
  f(attempt_started{run1, a, 2, t0, {{reason_kind::forced, ""}}});
  attempt_finished failure{run1, a, 2, t0 + 3s, outcome_kind::timed_out};
  f(failure);
  CHECK(f.tables.assets.at(a).attempt == attempt_state::failed);
  CHECK(f.tables.assets.at(a).last->made.data_version == quick_digest("v1"));
  f(attempt_started{run1, a, 3, t0, {}});
  CHECK(f.tables.assets.at(a).attempt_reasons == std::vector<reason>{{reason_kind::forced, ""}});
  CHECK(f.tables.assets.at(a).attempt_number == 3);
  f(attempt_finished{run1, a, 3, t0, outcome_kind::interrupted});
  CHECK(f.tables.assets.at(a).attempt == attempt_state::interrupted);
  f(attempt_started{run1, a, 4, t0, {}});
  f(attempt_finished{run1, a, 4, t0, outcome_kind::cancelled});
  CHECK(f.tables.assets.at(a).attempt == attempt_state::cancelled);
  CHECK(f.tables.runs.at(run1).attempts == 4);
}

TEST_CASE("a late or repeated end of an attempt does not touch the one that is open") {
  folded f;
  begin(f);
  f(attempt_started{run1, a, 1, t0, {}});
  f(attempt_finished{run1, a, 1, t0, outcome_kind::exited, 1});
  f(attempt_started{run1, a, 2, t0, {}});
  f(attempt_finished{run1, a, 1, t0, outcome_kind::exited, 1});
  CHECK(f.tables.assets.at(a).attempt == attempt_state::running);
  CHECK(f.tables.open_attempts.at({run1, a}).attempt == 2);
}

TEST_CASE("a run is open until it has finished, and again when it is resumed") {
  folded f;
  begin(f);
  const auto fresh = static_cast<std::size_t>(asset_status::fresh);
  const auto succeeded = static_cast<std::size_t>(asset_status::succeeded);
  CHECK(f.tables.runs.at(run1).status == run_status::running);
  CHECK(f.tables.runs.at(run1).counts[fresh] == 1);
  CHECK(f.tables.runs.at(run1).first_seq == 4);
  f(asset_found_fresh{run1, a, t0});
  f(assets_settled{run1, t0, asset_status::blocked, "", {{a, a}}});
  f(run_stopping{run1, t0, stop_cause::user});
  CHECK(f.tables.runs.at(run1).last_seq == 7);
  run_finished end{run1, t0 + 9s, run_status::failed};
  end.counts[fresh] = 2;
  end.counts[succeeded] = 5;
  f(end);
  CHECK(f.tables.runs.at(run1).status == run_status::failed);
  CHECK(f.tables.runs.at(run1).finished_at == t0 + 9s);
  CHECK(f.tables.runs.at(run1).counts == end.counts);
  CHECK(f.tables.ended == std::vector{run1});
  f(run_resumed{run1, t0 + 10s});
  CHECK(f.tables.runs.at(run1).status == run_status::running);
  CHECK_FALSE(f.tables.runs.at(run1).finished_at);
  CHECK(f.tables.runs.at(run1).counts[fresh] == 2);
  CHECK(f.tables.runs.at(run1).counts[succeeded] == 0);
  CHECK(f.tables.runs.at(run1).first_seq == 4);
  CHECK(f.tables.runs.at(run1).segment_seq == 9);
}

TEST_CASE("a state is closed cleanly only while no writer has opened it since") {
  folded f;
  CHECK(f.tables.state.closed_cleanly);
  f(writer_opened{t0, "one", 1});
  CHECK_FALSE(f.tables.state.closed_cleanly);
  f(writer_closed{t0});
  CHECK(f.tables.state.closed_cleanly);
  f(writer_opened{t0, "two", 1});
  CHECK_FALSE(f.tables.state.closed_cleanly);
  CHECK(f.tables.state.writer_seq == 3);
  CHECK(f.tables.state.writer_boot_id == "two");
}

TEST_CASE("files are remembered as last observed") {
  folded f;
  begin(f);
  const file_record one{{file_kind::file, 1, 2, 3, 4}, quick_digest("one")};
  const file_record gone{};
  f(files_observed{{{path_id(0U), one}, {path_id(1U), one}}});
  f(files_observed{{{path_id(1U), gone}}});
  CHECK(f.tables.files.at(path_id(0U)) == one);
  CHECK(f.tables.files.at(path_id(1U)) == gone);
}

TEST_CASE("an event that breaks a rule is refused and changes nothing") {
  folded f;
  begin(f);
  const auto before = f.tables.state;
  const auto refused = [&](const event& e, const char* why) {
    const auto done = f.apply(e);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == error_code::internal);
    CHECK_MESSAGE(done.error().message.find(why) != std::string::npos, done.error().message);
    CHECK(f.tables.state == before);
  };
  refused(names_interned{asset_id(1U), {"demo/c"}}, "asset ids begin at 1, not at 2");
  refused(paths_interned{path_id(3U), {"demo/c"}}, "path ids begin at 3, not at 2");
  refused(files_observed{{{path_id(2U), {}}}}, "path id 2 was never given out");
  refused(run_started{run1}, "run number 1 was given out before");
  refused(run_started{run_number(0xFFFFFFFFU)}, "no run number can follow");
  run_started odd{run_number(2U)};
  odd.request.error_strategy = 3;
  refused(odd, "error strategy");
  run_started beyond{run_number(2U)};
  beyond.waiting = {{asset_id(0U), asset_id(2U)}};
  refused(beyond, "ids in them were never given out");
  beyond.waiting = {{asset_id(1U), asset_id(0U)}};
  refused(beyond, "not in order");
  refused(run_resumed{run1, t0, {{asset_id(0U), asset_id(4'000'000'000U)}}}, "ids in them were never given out");
  refused(asset_found_fresh{run1, asset_id(2U), t0}, "asset id 2 was never given out");
  refused(assets_settled{run1, t0, asset_status::blocked, "", {{a, asset_id(9U)}}}, "asset id 9 was never given out");
  auto of_unknown_path = success(run1, a, 1, "v1");
  of_unknown_path.made->outputs = {{path_id(2U), digest{}}};
  refused(of_unknown_path, "path id 2 was never given out");
  of_unknown_path.made->outputs.clear();
  of_unknown_path.made->inputs_gone = {path_id(7U)};
  refused(of_unknown_path, "path id 7 was never given out");
  of_unknown_path.made->inputs_gone.clear();
  of_unknown_path.made->upstreams = {{asset_id(5U), digest{}}};
  refused(of_unknown_path, "asset id 5 was never given out");
  attempt_started absent{run1, a, 1, t0, {}};
  absent.absent_outputs = {path_id(3U)};
  refused(absent, "path id 3 was never given out");
  refused(attempt_started{run1, asset_id(2U)}, "asset id 2 was never given out");
  refused(attempt_spawned{run1, asset_id(2U)}, "asset id 2 was never given out");
  refused(attempt_finished{run1, asset_id(2U)}, "asset id 2 was never given out");
  refused(attempt_finished{run1, a, 1, t0, outcome_kind::succeeded}, "exactly when it succeeds");
  refused(run_finished{run1, t0, run_status::queued}, "a run ends as queued");
  refused(run_finished{run1, t0, run_status::running}, "a run ends as running");
  attempt_finished forged{run1, a, 1, t0, outcome_kind::exited, 1};
  forged.resources = {{}, {}, 0, false, ~std::uint64_t{0}, 0};
  refused(forged, "more than there can be");
  const auto gap = f.fold.apply(9, writer_closed{});
  CHECK(gap.error().message == "event 9 breaks a rule of the journal: it follows event 4");
}

TEST_CASE("a queued run starts under its number and id, and leaves the queue by that") {
  folded f;
  begin(f);
  run_queued queued{run_number(5U), {}, t0 + 1s, "demo"};
  queued.id.bytes[0] = 5;
  queued.cause = {cause_kind::trigger, "nightly", {3, 4}, ""};
  queued.continues = run1;
  f(queued);
  CHECK(f.tables.queue.at(queued.run) == queued);
  CHECK(f.tables.runs.size() == 1);
  CHECK(f.tables.state.last_run == queued.run);
  f(run_started{run_number(6U), {}, t0, "demo"}); // others may start before it
  run_started start{queued.run, queued.id, t0 + 3s, "demo"};
  start.cause = queued.cause;
  f(start);
  CHECK(f.tables.queue.empty());
  const auto& run = f.tables.runs.at(queued.run);
  CHECK(run.cause == queued.cause);
  CHECK(run.queued_at == queued.at);
  CHECK(run.continues == run1);
  CHECK_FALSE(never_started(run));
  CHECK(f.tables.state.last_run == run_number(6U));
  f(run_resumed{queued.run, t0 + 4s, {}});
  CHECK(f.tables.runs.at(queued.run).cause == queued.cause);
}

TEST_CASE("a run that leaves the queue without having started is on record as cancelled") {
  folded f;
  begin(f);
  run_queued queued{run_number(2U), {}, t0 + 1s, "demo"};
  f(queued);
  f(run_dequeued{queued.run, t0 + 2s, dequeue_reason::continued, run_number(3U)});
  CHECK(f.tables.queue.empty());
  const auto& run = f.tables.runs.at(queued.run);
  CHECK(run.status == run_status::cancelled);
  CHECK(run.finished_at == t0 + 2s);
  CHECK(run.dequeued == dequeue_reason::continued);
  CHECK(run.continued_by == run_number(3U));
  CHECK(never_started(run));
  const auto before = run;
  f(attempt_started{queued.run, a, 1, t0 + 3s, {}}); // late, or made up: the run stays as it was
  f(run_resumed{queued.run, t0 + 3s, {}});
  CHECK(f.tables.runs.at(queued.run) == before);
}

TEST_CASE("a queued run that is queued once more gets another priority, and leaves the queue as before") {
  folded f;
  begin(f);
  run_queued queued{run_number(2U), {}, t0 + 1s, "demo"};
  f(queued);
  f(run_queued{run_number(3U), {}, t0 + 1s, "demo"});
  queued.priority = 7;
  f(queued);
  CHECK(f.tables.queue.at(queued.run) == queued);
  CHECK(f.tables.state.last_run == run_number(3U));
  f(run_dequeued{queued.run, t0 + 2s, dequeue_reason::cancelled, {}});
  CHECK(f.tables.queue.size() == 1);
}

TEST_CASE("what cannot be in a queue is refused, and changes nothing") {
  folded f;
  begin(f);
  run_queued queued{run_number(2U), {}, t0, "demo"};
  f(queued);
  const auto before = f.tables.queue;
  const auto refused = [&](const event& e, const char* words) {
    const auto done = f.apply(e);
    REQUIRE_FALSE(done.has_value());
    CHECK_MESSAGE(done.error().message.find(words) != std::string::npos, done.error().message);
    CHECK(f.tables.queue == before);
  };
  auto renamed = queued;
  renamed.pipeline = "another";
  refused(renamed, "it is not the run that is queued under its number");
  refused(run_queued{run_number(0xFFFFFFFFU)}, "no run number can follow");
  run_queued odd{run_number(3U)};
  odd.request.error_strategy = error_strategies;
  refused(odd, "of a kind that is not known");
  refused(run_dequeued{run1, t0}, "it is not in it");
  refused(run_dequeued{run_number(3U), t0}, "it is not in it");
  run_started other{queued.run, {}, t0, "demo"};
  other.id.bytes[0] = 1;
  refused(other, "not the run that is queued under its number");
}

TEST_CASE("events of a run whose beginning is gone still change assets") {
  folded f;
  f.tables.keeps_runs = false;
  begin(f);
  CHECK(f.tables.runs.empty());
  f(attempt_started{run1, a, 1, t0, {}});
  f(success(run1, a, 1, "v1"));
  f(run_finished{run1, t0});
  CHECK(f.tables.runs.empty());
  CHECK(f.tables.assets.at(a).last);
  CHECK(f.tables.state.last_run == run1);
}

TEST_CASE("retention counts runs that executed something and keeps what lies between them") {
  const auto run = [](std::uint32_t number, std::uint32_t attempts, bool open = false) {
    run_record r;
    r.run = run_number(number);
    r.attempts = attempts;
    r.first_seq = r.segment_seq = number * 10;
    if (!open)
      r.finished_at = t0;
    return r;
  };
  const auto first_kept = [](std::uint32_t keep, std::uint64_t writer_seq,
                             const std::vector<run_record>& newest_first) {
    retention_bound bound(keep, writer_seq);
    for (const auto& r : newest_first)
      bound.add(r);
    return bound.first_kept();
  };
  const std::vector<run_record> history = {run(5, 0), run(4, 1), run(3, 0), run(2, 7), run(1, 1)};
  CHECK(first_kept(1, 0, history) == 40);
  CHECK(first_kept(2, 0, history) == 20);
  CHECK(first_kept(9, 0, history) == 10);
  CHECK(first_kept(0, 0, history) == std::numeric_limits<std::uint64_t>::max());
  CHECK(first_kept(1, 5, {run(3, 1), run(2, 1), run(1, 0, true)}) == 10);  // open in the present writer
  CHECK(first_kept(1, 15, {run(3, 1), run(2, 1), run(1, 0, true)}) == 30); // interrupted, and its writer gone
  // Runs that executed nothing count by themselves: ten for each that is kept.
  std::vector<run_record> idle;
  for (std::uint32_t number = 30; number > 1; --number)
    idle.push_back(run(number, 0));
  idle.push_back(run(1, 1));
  CHECK(first_kept(1, 0, idle) == 210);
  CHECK(first_kept(2, 0, idle) == 110);
  CHECK(first_kept(3, 0, idle) == 10);
}

TEST_CASE("limits let go of what is old, whatever is to be kept, but of no run that has not ended") {
  const auto run = [](std::uint32_t number, int ended_after, bool open = false) {
    run_record r;
    r.run = run_number(number);
    r.pipeline = number % 2 == 0 ? "even" : "odd";
    r.attempts = 1;
    r.first_seq = r.segment_seq = number * 10;
    if (!open)
      r.finished_at = t0 + std::chrono::hours(ended_after);
    return r;
  };
  const auto bound_of = [&](retention_rule rule, const std::vector<run_record>& newest_first) {
    rule.limits = history_limits{t0 + std::chrono::hours(25)};
    retention_bound bound(rule, 100);
    for (const auto& r : newest_first)
      bound.add(r);
    return std::pair(bound.first_kept(), bound.first_open());
  };
  constexpr auto none = std::numeric_limits<std::uint64_t>::max();
  CHECK(bound_of(1000, {run(3, 30), run(2, 25), run(1, 20)}) == std::pair(std::uint64_t{20}, none));
  CHECK(bound_of(1, {run(3, 30), run(2, 25), run(1, 20)}) == std::pair(std::uint64_t{30}, none));
  CHECK(bound_of({"even", 1}, {run(4, 30), run(3, 30), run(2, 30)}) == std::pair(std::uint64_t{30}, none));
  CHECK(bound_of(1000, {run(3, 1), run(2, 1)}) == std::pair(none, none));
  CHECK(bound_of(1000, {run(3, 1), run(2, 0, true), run(1, 1)}) == std::pair(std::uint64_t{20}, std::uint64_t{20}));
}

namespace {

asset_definition defined(const char* command) {
  asset_definition made;
  made.form = command_form::shell;
  made.command = {command};
  return made;
}

definition_recorded recorded(const asset_definition& what, std::uint32_t first, std::uint32_t last) {
  return {{{asset_id(first), asset_id(last)}}, digest_of(what), what};
}

attempt_finished success_with(std::uint32_t attempt, std::optional<digest> definition) {
  auto e = success(run1, a, attempt, "v");
  e.made->definition = definition;
  return e;
}

} // namespace

TEST_CASE("a definition is kept as long as a record of an asset names it") {
  folded f;
  begin(f);
  const auto one = defined("one");
  const auto two = defined("two");
  const auto of_one = digest_of(one);
  const auto of_two = digest_of(two);
  const auto kept = [&](const digest& of) -> std::uint32_t {
    const auto found = f.tables.definitions.find(definition_key(of));
    return found == f.tables.definitions.end() ? 0U : found->second.named_by;
  };
  f(recorded(one, 0, 1));
  CHECK(kept(of_one) == 2);
  CHECK(f.tables.definitions.at(definition_key(of_one)).text == one);
  CHECK(f.tables.assets.at(a).definition == of_one);
  CHECK(f.tables.assets.at(a).definition_seq == f.tables.state.last_seq);
  f(attempt_started{run1, a, 1, t0, {{reason_kind::forced, ""}}});
  f(success_with(1, of_one));
  CHECK(kept(of_one) == 3);
  f(attempt_started{run1, a, 2, t0, {}});
  f(success_with(2, std::nullopt)); // as the one before
  CHECK(f.tables.assets.at(a).last->definition == of_one);
  CHECK(kept(of_one) == 3);
  f(recorded(two, 0, 1));
  CHECK(kept(of_one) == 1); // what the asset was made with
  CHECK(kept(of_two) == 2);
  f(recorded(two, 0, 0)); // again: nothing changes
  CHECK(kept(of_two) == 2);
  f(attempt_started{run1, a, 3, t0, {}});
  f(success_with(3, of_two));
  CHECK_FALSE(f.tables.definitions.contains(definition_key(of_one)));
  CHECK(kept(of_two) == 3);
}

TEST_CASE("a definition may be named before its text is recorded, or after it is gone") {
  folded f;
  begin(f);
  const auto late = defined("late");
  f(attempt_started{run1, a, 1, t0, {{reason_kind::forced, ""}}});
  f(success_with(1, digest_of(late)));
  CHECK_FALSE(f.tables.definitions.at(definition_key(digest_of(late))).has_text);
  f(recorded(late, 1, 1));
  CHECK(f.tables.definitions.at(definition_key(digest_of(late))).has_text);
  CHECK(f.tables.definitions.at(definition_key(digest_of(late))).named_by == 2);
  asset_adopted taken{a, t0, {}};
  taken.made.full = true;
  f(taken); // names none
  CHECK(f.tables.definitions.at(definition_key(digest_of(late))).named_by == 1);
}

TEST_CASE("a definition whose digest is another's, or of assets that there are not, breaks a rule") {
  folded f;
  begin(f);
  auto wrong = recorded(defined("one"), 0, 0);
  wrong.of = digest_of(defined("two"));
  CHECK_FALSE(f.apply(wrong).has_value());
  CHECK_FALSE(f.apply(recorded(defined("one"), 0, 2)).has_value());
  CHECK_FALSE(
      f.apply(attempt_started{run1, a, 1, t0, {}, {}, {{wait_kind::asset, asset_id(9U), {}, {}, 5}}}).has_value());
  CHECK_FALSE(f.apply(attempt_started{run1, a, 1, t0, {}, {}, {{wait_kind::worker, {}, {}, {}, 0}}}).has_value());
  CHECK(f.tables.definitions.empty());
}

TEST_CASE("a trigger remembers when its runs started, and how many have failed in a row") {
  folded f;
  f(trigger_changed{"demo/nightly", t0, {}});
  const auto record = [&]() -> const trigger_record& { return f.tables.triggers.at(trigger_key("demo/nightly")); };
  std::uint32_t number = 0;
  const auto run = [&](run_status ends, cause_kind cause = cause_kind::trigger,
                       const std::string& trigger = "nightly") {
    run_started start{run_number(++number), {}, t0 + std::chrono::seconds(number), "demo"};
    start.cause = {cause, trigger, {}, {}};
    f(start);
    run_finished end{start.run, t0 + std::chrono::seconds(number), ends, {}};
    end.trigger = trigger_of("demo", start.cause);
    f(end);
  };
  run(run_status::failed);
  run(run_status::failed);
  run(run_status::cancelled); // says nothing of it
  CHECK(record().failures == 2);
  CHECK(record().starts == std::vector<timestamp>{t0 + 1s, t0 + 2s, t0 + 3s});
  run(run_status::failed, cause_kind::user, "");
  run(run_status::failed, cause_kind::trigger, "other");
  CHECK(record().failures == 2);
  run(run_status::failed, cause_kind::backfill); // fails as others do, and is not throttled
  CHECK(record().failures == 3);
  CHECK(record().starts.size() == 3);
  f(trigger_paused{"demo/nightly", t0, "why", ""});
  f(trigger_resumed{"demo/nightly", t0, ""});
  CHECK(record().failures == 0);
  run(run_status::failed);
  run(run_status::succeeded);
  CHECK(record().failures == 0);
  for (std::size_t i = 0; i < 2 * trigger_record::most_starts; ++i)
    run(run_status::succeeded);
  CHECK(record().starts.size() == trigger_record::most_starts);
  CHECK(record().starts.back() == t0 + std::chrono::seconds(number));
}

TEST_CASE("a run that is stopped because its time is over is on record as that, until it is resumed") {
  folded f;
  f(run_started{run_number(1U), {}, t0, "demo"});
  f(run_stopping{run_number(1U), t0, stop_cause::timed_out});
  f(run_finished{run_number(1U), t0, run_status::failed, {}});
  CHECK(f.tables.runs.at(run_number(1U)).timed_out);
  f(run_resumed{run_number(1U), t0 + 1s, {}});
  CHECK(!f.tables.runs.at(run_number(1U)).timed_out);
}

TEST_CASE(
    "a queued run gets other params and another moment at which it expires, and keeps the events that joined it") {
  folded f;
  f(trigger_changed{"demo/nightly", t0, {}});
  run_queued queued{run_number(1U), {}, t0, "demo"};
  queued.cause = {cause_kind::trigger, "nightly", {1}, {}};
  f(event_taken{1, "demo/nightly", event_source::manual, t0});
  f(queued);
  f(event_taken{2, "demo/nightly", event_source::manual, t0});
  f(event_settled{2, t0, event_fate::coalesced, queued.run, {}});
  queued.request.params = {{"day", "x"}};
  queued.conditions.expires = t0 + 9s;
  f(queued);
  auto expected = queued;
  expected.cause.events = {1, 2};
  CHECK(f.tables.queue.at(queued.run) == expected);
  queued.conditions.quiet = 5s;
  const auto refused = f.apply(queued);
  CHECK(!refused.has_value());
}

TEST_CASE("files that a trigger takes notice of are kept until they are gone, and counted anew after a pause") {
  folded f;
  f(trigger_changed{"demo/inbox", t0, quick_digest("one")});
  const auto watched = [&] { return f.tables.triggers.at(trigger_key("demo/inbox")).watched; };
  CHECK(watched() == watch_base::none);
  const watched_file a{"inbox/a", {{file_kind::file, 1, 2, 3, 4}, quick_digest("a")}};
  f(files_watched{"demo/inbox", t0, {a, {"inbox/b", a.record}}});
  CHECK(watched() == watch_base::taken);
  f(files_watched{"demo/inbox", t0, {{"inbox/b", {}}}});
  REQUIRE(f.tables.watched.size() == 1);
  CHECK(f.tables.watched.at(watched_key("demo/inbox", "inbox/a")) == watched_record{"demo/inbox", a});
  f(trigger_changed{"demo/inbox", t0, quick_digest("one")}); // a clock was set
  CHECK(watched() == watch_base::taken);
  f(trigger_paused{"demo/inbox", t0, "", ""});
  f(trigger_resumed{"demo/inbox", t0, ""});
  CHECK(watched() == watch_base::stale);
  f(files_watched{"demo/inbox", t0, {}});
  f(trigger_changed{"demo/inbox", t0, quick_digest("two")});
  CHECK(watched() == watch_base::none);
  CHECK_FALSE(f.apply(files_watched{"demo/inbox", t0, {{"", {}}}}).has_value());
  CHECK_FALSE(f.apply(files_watched{"demo/nobody", t0, {}}).has_value());
  f(cursor_moved{"demo/inbox", t0, "page 2", ""});
  CHECK(f.tables.triggers.at(trigger_key("demo/inbox")).cursor == "page 2");
}

TEST_CASE("a notice is kept until it was delivered everywhere, and no longer lasts") {
  folded f;
  notice_taken notice{1, t0, notice_kind::failed, "demo", "demo/nightly", run1, "exit status 1", {"ops", "chat"}, true};
  f(notice);
  f(notices_read{1});
  CHECK(f.tables.state.notices_up_to == 1);
  f(notice_settled{1, "ops", t0, delivery_end::delivered});
  CHECK(f.tables.notices.at(1).targets == std::vector<std::string>{"chat"});
  CHECK_FALSE(f.apply(notice_settled{1, "ops", t0, delivery_end::delivered}).has_value());
  f(notice_settled{1, "chat", t0, delivery_end::given_up, 9, "no answer"});
  CHECK(f.tables.notices.size() == 1); // it lasts
  f(notice_taken{2, t0, notice_kind::recovered, "demo", "demo/nightly", {}, "", {}, false, 1});
  CHECK(f.tables.notices.empty());
  CHECK_FALSE(f.apply(notice_taken{4, t0, notice_kind::failed, "demo", "demo"}).has_value());
  CHECK_FALSE(f.apply(notice_taken{3, t0, notice_kind::recovered, "demo", "demo", {}, "", {}, false, 1}).has_value());
  CHECK_FALSE(f.apply(notices_read{0}).has_value());
  CHECK_FALSE(f.apply(notices_read{100}).has_value());
}

TEST_CASE("keys that are forgotten count no more, and those of runs are apart from those of triggers") {
  folded f;
  f(trigger_changed{"demo/t", t0, quick_digest("d")});
  event_taken taken;
  taken.event = 1;
  taken.trigger = "demo/t";
  taken.at = t0;
  taken.key = "k";
  f(taken);
  f(key_used{"demo/", "k", quick_digest("r"), run1, t0});
  CHECK(f.tables.keys.size() == 2);
  f(keys_forgotten{"demo/t", t0, {"other", "k", "k"}, ""});
  REQUIRE(f.tables.keys.size() == 1);
  CHECK(f.tables.keys.begin()->second.trigger == "demo/");
  CHECK(f.tables.keys.begin()->second.run == run1);
  f(keys_forgotten{"demo/", t0, {"k"}, "someone"});
  CHECK(f.tables.keys.empty());
}
