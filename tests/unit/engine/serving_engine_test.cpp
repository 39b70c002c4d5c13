// An engine that stays up: its queue, what it survives, and what it shares.
#include "serving_stage.hpp"

#include "engine/silent_observer.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

using stage = troupe_internal::test::serving_stage;
using troupe_internal::test::gated;

TEST_CASE("a run waits in the queue while there are as many as may live; a user's does not") {
  stage on(gated);
  const auto first = on.submit(on.ask({"a"}));
  CHECK(!first.queued);
  on.until_started("a\n");
  const auto second = on.submit(on.ask({"b"}));
  CHECK(second.queued);
  CHECK(on.status(second.run) == run_status::queued); // it is on disk
  CHECK(on.reason(second.run) == "max_runs: 1 run is live");
  const auto users = on.submit(on.ask({"c"}, cause_kind::user));
  CHECK(!users.queued);
  on.until_started("a\nc\n");
  CHECK(on.queued() == std::vector<std::uint32_t>{second.run.value});
  on.folder.write("go", "");
  CHECK(on.ended(first.run) == run_status::succeeded);
  CHECK(on.ended(second.run) == run_status::succeeded);
  CHECK(on.ended(users.run) == run_status::succeeded);
  CHECK(on.queued().empty());
  const auto report = read_run_report(on.folder / "state", second.run);
  REQUIRE(report.has_value());
  CHECK(report->run.queued_at.has_value());
  CHECK(report->run.cause.kind == cause_kind::trigger);
  on.check_journal();
}

TEST_CASE("no more runs than may live at all are live, whoever asks") {
  stage on(gated);
  on.how.limits.live_runs = 2;
  const auto first = on.submit(on.ask({"a"}, cause_kind::user));
  const auto second = on.submit(on.ask({"b"}, cause_kind::user));
  const auto third = on.submit(on.ask({"c"}, cause_kind::user));
  CHECK(!second.queued);
  CHECK(third.queued);
  CHECK(on.reason(third.run) == "2 runs are live, and no more may be");
  on.folder.write("go", "");
  for (const auto& run : {first, second, third})
    CHECK(on.ended(run.run) == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("the queue goes by priority, and a priority can be changed") {
  stage on(gated);
  const auto live = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  const auto low = on.submit(on.ask({"b"}, cause_kind::trigger, -100));
  const auto high = on.submit(on.ask({"c"}, cause_kind::trigger, 100));
  const auto none = on.submit(on.ask({"d"}));
  CHECK(on.queued() == std::vector{high.run.value, none.run.value, low.run.value});
  std::promise<bool> done;
  const auto asked =
      on.all().prioritize(low.run, 500, [&](const result<void>& durable) { done.set_value(durable.has_value()); });
  REQUIRE(asked.has_value());
  CHECK(done.get_future().get());
  CHECK(on.queued() == std::vector{low.run.value, high.run.value, none.run.value});
  CHECK(on.all().prioritize(live.run, 1, [](const result<void>&) {}).has_error()); // it does not wait
  on.how.on_restart = restart_rule::abandon;
  on.close(); // the next engine knows the priority too
  on.how.limits.max_runs = 0;
  CHECK(on.queued() == std::vector{low.run.value, high.run.value, none.run.value});
  on.close();
  on.how.limits.max_runs = 1;
  on.folder.write("go", "");
  for (const auto& run : {low, high, none})
    CHECK(on.ended(run.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\nb\nc\nd\n");
  on.check_journal();
}

TEST_CASE("a queued run is cancelled by its number and never starts") {
  stage on(gated);
  const auto live = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  const auto second = on.submit(on.ask({"b"}));
  const auto third = on.submit(on.ask({"c"}));
  CHECK(on.all().cancel(second.run, false).value() == second.run);
  CHECK(on.ended(second.run) == run_status::cancelled);
  CHECK(on.status(second.run) == run_status::cancelled);
  CHECK(on.all().cancel(second.run, false).has_error()); // it is not there any more
  CHECK(on.queued() == std::vector{third.run.value});
  on.folder.write("go", "");
  CHECK(on.ended(live.run) == run_status::succeeded);
  CHECK(on.ended(third.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\nc\n");
  on.check_journal();
}

TEST_CASE("an engine for one run leaves alone what is queued; the next one that stays up starts it") {
  stage on(gated);
  static_cast<void>(on.submit(on.ask({"a"})));
  on.until_started("a\n");
  const auto queued = on.submit(on.ask({"b"}));
  on.how.on_restart = restart_rule::abandon;
  on.close();
  CHECK(on.status(queued.run) == run_status::queued);
  on.folder.write("go", "");
  {
    project_options where;
    where.file = on.folder / "troupe.json";
    where.state = on.folder / "state";
    diagnostics findings;
    const auto p = open_project(where, findings);
    REQUIRE(p.has_value());
    run_options options;
    options.selection = {"c"};
    const auto ran = run_pipeline(*p, options, silent_observer::the_one(), on.stop);
    REQUIRE(ran.has_value());
    CHECK(ran->run.value == queued.run.value + 1); // numbers of queued runs are given out
  }
  CHECK(on.status(queued.run) == run_status::queued);
  CHECK(on.ended(queued.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\nc\nb\n");
  on.check_journal();
}

TEST_CASE("a run that has the place of another goes through the queue, and says so") {
  stage on(gated, 16);
  on.folder.write("go", "");
  const auto first = on.submit(on.ask({"a"}));
  CHECK(on.ended(first.run) == run_status::succeeded);
  auto ask = on.ask({"a"});
  ask.continues = first.run;
  const auto second = on.submit(ask);
  CHECK(on.ended(second.run) == run_status::succeeded);
  const auto report = read_run_report(on.folder / "state", second.run);
  REQUIRE(report.has_value());
  CHECK(report->run.continues == first.run);
  on.check_journal();
}

TEST_CASE("a run whose pipeline does not load waits, lets others go before, and starts when it loads again") {
  stage on(gated);
  on.folder.write("q.json", R"x({"name": "q", "assets": {"x": {"command": "echo x >> started"}}})x");
  const auto live = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  auto ask = on.ask({});
  ask.file = on.folder / "q.json";
  const auto broken = on.submit(ask);
  const auto other = on.submit(on.ask({"b"}));
  on.folder.write("q.json", "{");
  on.folder.write("go", "");
  CHECK(on.ended(live.run) == run_status::succeeded);
  CHECK(on.ended(other.run) == run_status::succeeded); // it came later
  stage::until([&] { return on.reason(broken.run).find("q.json: 1 mistake") != std::string::npos; });
  std::filesystem::remove(on.folder / "q.json");
  stage::until([&] { return on.reason(broken.run).find("there is no such file") != std::string::npos; });
  on.folder.write("q.json", R"x({"name": "other", "assets": {"x": {"command": "echo x >> started"}}})x");
  stage::until([&] { return on.reason(broken.run).find("is the pipeline \"other\" now") != std::string::npos; });
  on.folder.write("q.json", R"x({"name": "q", "assets": {"x": {"command": "echo new >> started"}}})x");
  on.all().retry_loads();
  CHECK(on.ended(broken.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\nb\nnew\n"); // as the file was when it started
  on.check_journal();
}

TEST_CASE("a live run keeps its pipeline, whatever becomes of the file") {
  stage on(R"x({"name": "p", "engine": {"workers": 2}, "assets": {
    "a": {"command": "echo a >> started; while ! test -e go; do sleep 0.01; done"},
    "b": {"command": "echo b >> started", "deps": ["a"]}}})x");
  const auto live = on.submit(on.ask({}));
  on.until_started("a\n");
  std::filesystem::remove(on.folder / "troupe.json");
  CHECK(on.all().submit(on.ask({})).has_error());
  on.folder.write("go", "");
  CHECK(on.ended(live.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\nb\n");
  on.check_journal();
}

TEST_CASE("what cannot be run is refused and never queued") {
  stage on(gated);
  static_cast<void>(on.submit(on.ask({"a"})));
  on.until_started("a\n");
  const auto unknown = on.all().submit(on.ask({"nobody"}));
  REQUIRE(unknown.has_error());
  CHECK(unknown.error().code == error_code::invalid_input);
  auto ask = on.ask({});
  ask.file = "-";
  CHECK(on.all().submit(ask).has_error());
  CHECK(on.queued().empty());
  on.folder.write("go", "");
}

TEST_CASE("a full queue refuses") {
  stage on(gated);
  on.how.most_queued = 1;
  static_cast<void>(on.submit(on.ask({"a"})));
  const auto second = on.submit(on.ask({"b"}));
  CHECK(second.queued);
  const auto third = on.all().submit(on.ask({"c"}));
  REQUIRE(third.has_error());
  CHECK(third.error().message.find("the queue is full: 1 runs wait") == 0);
  on.folder.write("go", "");
  CHECK(on.ended(second.run) == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("several runs are planned and live at a time, submitted from many threads") {
  stage on(
      R"x({"name": "p", "engine": {"workers": 4}, "assets": {"a": {"command": ["true"]}, "b": {"command": ["true"], "deps": ["a"]}}})x",
      3);
  on.how.limits.live_runs = 5;
  CHECK(on.queued().empty()); // the engine is there
  std::vector<std::future<bool>> all;
  for (int thread = 0; thread < 8; ++thread)
    all.push_back(std::async(std::launch::async, [&on, thread] {
      for (int i = 0; i < 10; ++i) {
        const auto cause = (thread + i) % 3 == 0 ? cause_kind::user : cause_kind::trigger;
        const auto run = on.all().submit(on.ask({}, cause, i % 4));
        if (!run || on.all().wait(run->run).value() != run_status::succeeded)
          return false;
      }
      return true;
    }));
  for (auto& one : all)
    CHECK(one.get());
  const auto runs = list_runs(on.folder / "state", 0);
  REQUIRE(runs.has_value());
  CHECK(runs->size() == 80);
  on.check_journal();
}

TEST_CASE("runs of equal pipelines share one, as long as one of them lives") {
  stage on(gated, 16);
  pipeline_versions versions;
  project_options where;
  where.file = on.folder / "troupe.json";
  where.state = on.folder / "state";
  {
    const auto one = versions.open(where);
    const auto two = versions.open(where);
    REQUIRE(one.has_value());
    REQUIRE(two.has_value());
    CHECK(one->p == two->p);
    CHECK(one->graph == two->graph);
    CHECK(versions.living() == 1);
    on.folder.write("troupe.json", std::string(gated) + " ");
    const auto other = versions.open(where);
    REQUIRE(other.has_value());
    CHECK(other->p != one->p);
    CHECK(versions.living() == 2);
  }
  CHECK(versions.living() == 0);
}

namespace {

/// While it lives, this process can write no byte to a file.
class full_disk {
public:
  full_disk() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{1, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~full_disk() { setrlimit(RLIMIT_FSIZE, &before_); }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

private:
  rlimit before_{};
};

} // namespace

TEST_CASE(
    "a journal that fails interrupts live runs; when it can be written, they are resumed, and the queue goes on") {
  stage on(gated);
  const auto live = on.submit(on.ask({"a"}));
  on.until_started("a\n");
  const auto queued = on.submit(on.ask({"b"}));
  {
    const full_disk full;
    const auto refused = on.all().submit(on.ask({"c"}));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == error_code::state_unusable);
    CHECK(on.ended(live.run) == run_status::interrupted); // its children were ended
    CHECK(!on.all().trouble().empty());
    CHECK(on.all().submit(on.ask({"c"})).error().code == error_code::state_unusable);
    CHECK(on.reason(queued.run).find("the state's journal cannot be written") == 0);
    CHECK(serving_engine::open(on.how, on.time, on.stop).has_error()); // the lock is kept
  }
  on.folder.write("go", "");
  CHECK(on.ended(queued.run) == run_status::succeeded);
  CHECK(on.all().trouble().empty());
  CHECK(on.ended(live.run) == run_status::succeeded);
  const auto after = on.submit(on.ask({"c"}));
  CHECK(after.run.value == queued.run.value + 1); // what was refused has no number
  CHECK(on.ended(after.run) == run_status::succeeded);
  CHECK(on.folder.read("started") == "a\na\nb\nc\n");
  on.check_journal();
}

namespace {

/// A bug in Troupe, as far as the engine can tell: the end of an attempt is never recorded.
class breaking_observer final : public run_observer {
public:
  void run_began(const run_outline&) override {}
  void attempt_began(asset_index, std::uint32_t, const std::vector<reason>&, duration) override {}
  void attempt_ended(asset_index, const attempt_end&) override { throw std::runtime_error("a bug"); }
  void asset_settled(asset_index, asset_status, asset_index, std::string_view) override {}
  void run_stopping(stop_cause) override {}
  void warned(asset_index, const attempt_warning&) override {}
};

} // namespace

TEST_CASE("a run that breaks lets go of its assets though nobody waits for it, and leaves no attempt open") {
  stage on(gated, 16);
  breaking_observer bug;
  const auto broken = on.all().submit(on.ask({"a", "b"}), &bug);
  REQUIRE(broken.has_value());
  stage::until([&] { return on.folder.read("started").size() == 4; });
  const auto next = on.submit(on.ask({"a", "b", "c"})); // it waits for two of them
  stage::until([&] { return on.folder.read("started").size() == 6; });
  on.folder.write("go", "");
  CHECK(on.ended(next.run) == run_status::succeeded);
  CHECK(on.ended(broken->run) == run_status::interrupted);
  const auto after = on.submit(on.ask({"d"})); // all else goes on
  CHECK(on.ended(after.run) == run_status::succeeded);
  {
    const auto snapshot = open_snapshot(on.folder / "state");
    REQUIRE(snapshot.has_value());
    CHECK((*snapshot)->open_attempts()->empty());
    std::set<std::uint32_t> open;
    const auto visited = (*snapshot)->visit_events(0, [&](std::uint64_t, const event& e) {
      if (const auto* began = std::get_if<attempt_started>(&e))
        CHECK(open.insert(began->asset.value).second);
      if (const auto* ended = std::get_if<attempt_finished>(&e))
        open.erase(ended->asset.value);
      return true;
    });
    CHECK(visited.has_value());
  }
  on.check_journal();
}
