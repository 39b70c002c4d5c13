// The stop of an engine that stays up, and the next one: what becomes of runs that were left open.
#include "serving_stage.hpp"

#include "engine/silent_observer.hpp"

#include <csignal>
#include <future>

using namespace troupe_internal;
using namespace std::chrono_literals;
using stage = troupe_internal::test::serving_stage;
using troupe_internal::test::gated;

namespace {

run_report report_at(const stage& on, run_number run) {
  auto report = read_run_report(on.folder / "state", run);
  REQUIRE(report.has_value());
  return std::move(*report);
}

/// A run of which the asset "a" waits; the engine is closed over it.
run_number leave_open(stage& on, cause_kind cause = cause_kind::trigger, const std::string& asset = "a") {
  const auto run = on.submit(on.ask({asset}, cause));
  on.until_started(asset + "\n");
  on.close();
  CHECK(on.status(run.run) == run_status::interrupted);
  return run.run;
}

} // namespace

TEST_CASE("what an engine leaves open the next one resumes, before the queue") {
  stage on(gated);
  const auto first = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  const auto queued = on.submit(on.ask({"b"}));
  on.close();
  CHECK(on.status(first.run) == run_status::interrupted);
  CHECK(on.status(queued.run) == run_status::queued);
  on.folder.write("started", "");
  static_cast<void>(on.all());
  on.until_started("a\n");
  CHECK(on.queued() == std::vector{queued.run.value});
  on.folder.write("go", "");
  CHECK(on.ended(first.run) == run_status::succeeded);
  CHECK(on.ended(queued.run) == run_status::succeeded);
  CHECK(on.all().left_open().empty());
  CHECK(report_at(on, first.run).run.attempts == 2);
  on.check_journal();
}

TEST_CASE("a run of a person or a program that does not stay up is not resumed by itself") {
  stage on(gated);
  {
    engine_options with;
    with.folder = on.folder / "state";
    auto opened = engine::open(with, on.time, on.stop);
    REQUIRE(opened.has_value());
    project_options where;
    where.file = on.folder / "troupe.json";
    where.state = on.folder / "state";
    diagnostics findings;
    const auto p = open_project(where, findings);
    REQUIRE(p.has_value());
    run_options options;
    options.selection = {"a"};
    const auto run = (*opened)->submit(*p, options, silent_observer::the_one());
    REQUIRE(run.has_value());
    on.until_started("a\n");
    CHECK((*opened)->stop(*run, stop_cause::shutdown, false));
    const auto ended = (*opened)->wait(*run);
    REQUIRE(ended.has_value());
    CHECK(ended->status == run_status::interrupted);
  }
  static_cast<void>(on.all());
  CHECK(on.all().left_open().empty());
  CHECK(on.status(run_number(1U)) == run_status::interrupted);
  on.folder.write("go", "");
  REQUIRE(on.all().resume(run_number(1U)).has_value()); // but on request
  CHECK(on.ended(run_number(1U)) == run_status::succeeded);
  CHECK(on.all().resume(run_number(1U)).has_error()); // it has succeeded
  CHECK(on.all().resume(run_number(9U)).error().code == error_code::not_found);
  on.check_journal();
}

TEST_CASE("a run whose definitions have changed is replaced, and the new one says so") {
  stage on(gated);
  const auto old = leave_open(on);
  on.folder.write("troupe.json", R"x({"name": "p", "assets": {"a": {"command": "echo new >> started"}}})x");
  static_cast<void>(on.all());
  stage::until([&] { return on.all().left_open().empty(); });
  const run_number next(old.value + 1);
  CHECK(on.ended(next) == run_status::succeeded);
  CHECK(on.status(old) == run_status::cancelled);
  CHECK(report_at(on, old).run.continued_by == next);
  CHECK(report_at(on, next).run.continues == old);
  CHECK(report_at(on, next).run.request.selection == std::vector<std::string>{"a"});
  CHECK(report_at(on, next).run.cause == report_at(on, old).run.cause);
  on.check_journal();
}

TEST_CASE("with the rule `resume` a changed run stays, and may be cancelled; with `abandon` every run ends") {
  stage on(gated);
  const auto old = leave_open(on);
  on.how.on_restart = restart_rule::resume;
  on.folder.write("troupe.json", R"x({"name": "p", "assets": {"a": {"command": "true"}}})x");
  stage::until([&] { return on.all().left_open().size() == 1 && !on.all().left_open()[0].second.empty(); });
  CHECK(on.all().left_open()[0].second.find("its definition has changed") != std::string::npos);
  CHECK(on.status(old) == run_status::interrupted);
  CHECK(on.all().cancel(old, false).value() == old);
  CHECK(on.ended(old) == run_status::cancelled);
  on.close();
  on.folder.write("troupe.json", gated);
  on.folder.write("started", "");
  const auto other = leave_open(on);
  on.how.on_restart = restart_rule::abandon;
  static_cast<void>(on.all());
  stage::until([&] { return on.status(other) == run_status::cancelled; });
  CHECK(on.folder.read("started") == "a\n");
  on.check_journal();
}

TEST_CASE("a run whose pipeline does not load stays interrupted, holds up nobody, and is resumed when it loads") {
  stage on(gated);
  const auto old = leave_open(on);
  on.folder.write("q.json", R"x({"name": "q", "assets": {"x": {"command": "true"}}})x");
  on.folder.write("troupe.json", "{");
  stage::until([&] { return !on.all().left_open().empty() && !on.all().left_open()[0].second.empty(); });
  auto ask = on.ask({});
  ask.file = on.folder / "q.json";
  CHECK(on.ended(on.submit(ask).run) == run_status::succeeded);
  on.folder.write("go", "");
  on.folder.write("troupe.json", gated);
  on.all().retry_loads();
  stage::until([&] { return on.all().left_open().empty(); });
  CHECK(on.ended(old) == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("shut_down interrupts, a drain waits, and a second request ends it") {
  stage on(gated);
  const auto first = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  on.all().set_drain(10min);
  auto over = std::async(std::launch::async, [&] { on.all().shut_down(); });
  stage::until([&] { return on.all().stopping(); });
  CHECK(on.all().submit(on.ask({"b"})).error().code == error_code::stopped);
  CHECK(on.all().resume(first.run).error().code == error_code::stopped);
  CHECK(on.status(first.run) == run_status::running);
  on.folder.write("go", "");
  over.get();
  CHECK(on.status(first.run) == run_status::succeeded);
  on.close();

  std::filesystem::remove(on.folder / "go");
  const auto second = on.submit(on.ask({"b"}));
  on.until_started("a\nb\n");
  on.all().set_drain(1ms);
  on.all().shut_down(); // the drain is over at once
  on.close();
  CHECK(on.status(second.run) == run_status::interrupted);
  on.check_journal();
}

TEST_CASE("commands that do not end get the engine's grace at a stop, not their pipeline's") {
  stage on(R"x({"name": "p", "engine": {"grace_period": "10m"}, "assets": {
    "a": {"command": "trap '' TERM; echo a >> started; while true; do sleep 0.01; done"}}})x");
  on.how.grace_at_stop = 10ms;
  const auto run = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  on.all().shut_down();
  on.close();
  CHECK(on.status(run.run) == run_status::interrupted);
  on.check_journal();
}

TEST_CASE("runs that wait for a pipeline which is gone leave the queue for good") {
  stage on(gated);
  static_cast<void>(on.submit(on.ask({"a"})));
  on.until_started("a\n");
  const auto gone = on.submit(on.ask({"b"}));
  const auto stays = on.submit(on.ask({"c"}));
  const auto dropped = on.all().drop_queued(
      [&](const run_queued& run) { return run.request.selection == std::vector<std::string>{"b"}; });
  REQUIRE(dropped.has_value());
  CHECK(*dropped == 1);
  CHECK(on.queued() == std::vector{stays.run.value});
  CHECK(report_at(on, gone.run).run.dequeued == dequeue_reason::removed);
  on.check_journal();
}
