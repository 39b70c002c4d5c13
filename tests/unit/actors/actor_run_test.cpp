// The actors of a run on a thread, with a scripted executor and a journal in memory: what is reported of its end,
// what the journal holds, what the executor was asked.
#include "actors/actor_room.hpp"
#include "actors/actor_run.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/thread_pool.hpp"
#include "core/freshness/freshness.hpp"
#include "support/memory_journal_store.hpp"
#include "support/pipeline_builder.hpp"
#include "support/recording_observer.hpp"
#include "support/run_checker.hpp"
#include "support/scripted_executor.hpp"
#include "support/thread_loop.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace troupe_internal;
using namespace troupe_internal::test;
using namespace std::chrono_literals;

namespace {

/// Each append is a commit of its own, durable at once: the order is that of the calls.
class direct_log final : public event_log {
public:
  explicit direct_log(journal_store& store) : store_(store) {}
  void append(std::vector<event> events, bool, std::function<void(result<std::uint64_t>)> durable) override {
    const auto done = store_.append(events);
    if (durable)
      durable(done);
  }
  void checkpoint(run_number, std::string state) override { checkpoints.push_back(std::move(state)); }

  std::vector<std::string> checkpoints; // written by the journal's actor, read after the run

private:
  journal_store& store_;
};

/// One run of a pipeline, wired as the application does it.
class run_fixture {
public:
  explicit run_fixture(const pipeline_builder& b) : p(b.build()), observer(*p) {
    diagnostics found;
    graph.emplace(*asset_graph::build(*p, found));
    for (std::uint32_t i = 0; i < p->assets.size(); ++i)
      ids.emplace_back(i);
    policy.workers = 2;
    store.append(std::vector<event>{names()}).value();
  }

  asset_index operator[](std::string_view name) const { return *p->find(name); }
  asset_script& script(std::string_view name) { return work.script((*this)[name]); }

  run_outcome run() {
    run_started started;
    started.run = number;
    auto members = ids;
    if (outside)
      std::erase(members, ids[outside->value]);
    started.waiting = make_asset_set(members);
    run_state state;
    state.apply(started);
    store.append(std::vector<event>{started}).value();
    logic.emplace(*p, *graph, policy, ids, std::move(state));
    run_setup setup;
    setup.logic = &*logic;
    std::vector<blocked_outside> blocked;
    for (const auto& [asset, by] : never_made)
      blocked.push_back({asset, by});
    setup.first = logic->begin(blocked, time.now());
    setup.p = p.get();
    setup.graph = &*graph;
    setup.work = &work;
    setup.log = &log;
    setup.time = &time;
    setup.observer = &observer;
    setup.strict = strict;
    setup.names_and_files = [this] { return std::exchange(new_names, {}); };
    setup.closing = [] { return std::vector<event>{writer_closed{}}; };
    setup.log_of = [](asset_index asset, std::uint32_t) { return "log of " + std::to_string(asset.value); };
    setup.versions.resize(p->assets.size());
    setup.expected.resize(p->assets.size());
    setup.checkpoint_every = checkpoint_every;
    setup.when_on_disk = when_on_disk;
    actors = std::make_unique<actor_run>(std::move(setup));
    for (const auto cause : early_stops)
      actors->stop(cause, false);
    std::promise<run_outcome> ended;
    actors->begin(room, [&](run_outcome outcome) { ended.set_value(std::move(outcome)); });
    return ended.get_future().get();
  }

  /// All events of the run keep the invariants; returns the run's recorded end.
  std::optional<run_status> check_history() const {
    run_checker checker(*p, *graph, ids, policy.workers, never_made);
    for (const auto& e : store.events())
      if (!std::holds_alternative<names_interned>(e) && !std::holds_alternative<writer_closed>(e))
        checker.observe(e);
    if (logic->state().finished() == checker.status())
      checker.compare(logic->state());
    return checker.status();
  }
  asset_status status(std::string_view name) const { return logic->status((*this)[name]); }

  std::unique_ptr<pipeline> p;
  std::optional<asset_graph> graph;
  std::vector<asset_id> ids;
  run_policy policy;
  run_number number{7U};
  std::optional<asset_index> outside;
  bool strict = false;
  std::uint64_t checkpoint_every = 10'000;
  std::function<void(std::function<void(result<std::uint64_t>)>)> when_on_disk;
  std::vector<std::pair<asset_index, asset_index>> never_made;
  std::vector<stop_cause> early_stops;
  std::vector<event> new_names;
  memory_journal_store store;
  direct_log log{store};
  system_clock time;
  recording_observer observer;
  std::optional<run_logic> logic;
  thread_loop loop;
  actor_room room{loop};
  std::unique_ptr<actor_run> actors;
  std::unique_ptr<thread_pool> threads = std::make_unique<thread_pool>(2);
  scripted_executor work{[this](std::function<void()> piece) { threads->submit(std::move(piece)); }};

  ~run_fixture() { threads.reset(); } // what is still on its way is answered into the closed gate

private:
  [[nodiscard]] names_interned names() const {
    names_interned all;
    for (const auto& a : p->assets)
      all.names.push_back("test/" + std::string(a.name));
    return all;
  }
};

pipeline_builder diamond() {
  pipeline_builder b;
  b.asset("top");
  b.asset("left").deps({"top"});
  b.asset("right").deps({"top"});
  b.asset("tip").deps({"left", "right"});
  return b;
}

} // namespace

TEST_CASE("a diamond runs in order, and its end is on disk when it is gone") {
  run_fixture f(diamond());
  const auto end = f.run();
  CHECK(end.durable);
  CHECK(end.problem.empty());
  CHECK(f.check_history() == run_status::succeeded);
  REQUIRE(f.logic->state().finished() == run_status::succeeded);
  CHECK(std::holds_alternative<writer_closed>(f.store.events().back()));
  CHECK(std::holds_alternative<run_finished>(*(f.store.events().end() - 2)));
  CHECK(f.observer.saw("tip succeeded"));
  CHECK(f.observer.saw("left attempt 1 succeeded"));
  CHECK(f.observer.saw("warning: " + std::string(f.p->asset(asset_index(0U)).name) + " looked at 0"));
}

TEST_CASE("an asset is examined with the data versions of what it names, in that order") {
  run_fixture f(diamond());
  CHECK(f.run().durable);
  const auto seen = f.work.upstreams_of(f["tip"]);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == scripted_executor::version_of(f["left"], 1));
  CHECK(seen[1] == scripted_executor::version_of(f["right"], 1));
}

TEST_CASE("what is examined and found fresh is not executed, and its dependents go on") {
  run_fixture f(diamond());
  f.script("top").fresh = true;
  f.script("left").fresh = true;
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::succeeded);
  CHECK(f.status("top") == asset_status::fresh);
  CHECK(f.status("tip") == asset_status::succeeded);
  CHECK(f.work.executions(f["top"]) == 0);
}

TEST_CASE("a failure blocks what needs it and ends the run as failed") {
  run_fixture f(diamond());
  f.policy.error_strategy = error_strategy::continue_;
  f.script("left").outcomes = {outcome_kind::exited};
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::failed);
  CHECK(f.status("left") == asset_status::failed);
  CHECK(f.status("right") == asset_status::succeeded);
  CHECK(f.status("tip") == asset_status::blocked);
  CHECK(f.observer.saw("tip blocked by left"));
}

TEST_CASE("an asset that cannot be made fails without being executed") {
  run_fixture f(diamond());
  f.script("top").impossible = "an input is missing";
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::failed);
  CHECK(f.work.executions(f["top"]) == 0);
  CHECK(f.observer.saw("tip blocked by top"));
}

TEST_CASE("a failed attempt is made again after its delay") {
  pipeline_builder b;
  retry_policy retry;
  retry.attempts = 3;
  retry.delay = 1ms;
  b.asset("a").retry(retry);
  b.asset("b").deps({"a"});
  run_fixture f(b);
  f.script("a").outcomes = {outcome_kind::exited, outcome_kind::timed_out};
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::succeeded);
  CHECK(f.work.executions(f["a"]) == 3);
  CHECK(f.observer.saw("a attempt 1 exited, again"));
  CHECK(f.work.upstreams_of(f["b"]) == std::vector<digest>{scripted_executor::version_of(f["a"], 3)});
}

TEST_CASE("an allowed failure lets dependents run, and counts for them as one constant version") {
  pipeline_builder b;
  b.asset("a").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("impossible").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("c").deps({"a", "impossible"});
  run_fixture f(b);
  f.script("a").outcomes = {outcome_kind::exited};
  f.script("impossible").impossible = "no input";
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::succeeded);
  CHECK(f.observer.saw("a attempt 1 exited, allowed"));
  CHECK(f.work.upstreams_of(f["c"]) == std::vector<digest>{version_of_allowed_failure(), version_of_allowed_failure()});
}

TEST_CASE("a stop ends what runs and cancels the rest; a second one is passed on as urgent") {
  run_fixture f(diamond());
  f.script("left").hangs = true;
  f.script("right").hangs = true;
  std::atomic<int> hanging{0};
  f.work.on_execute = [&](asset_index asset, std::uint32_t) {
    if (asset != f["top"] && ++hanging == 2)
      f.threads->submit([&] {
        f.actors->stop(stop_cause::signal, false);
        f.actors->stop(stop_cause::signal, true);
      });
  };
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::cancelled);
  CHECK(f.status("left") == asset_status::cancelled);
  CHECK(f.status("tip") == asset_status::blocked);
  CHECK(f.observer.saw("stopping: signal"));
  REQUIRE_FALSE(f.work.ends().empty());
  CHECK(f.work.ends().front() == urgency::graceful);
}

TEST_CASE("a stop that comes before the run has begun is not lost") {
  run_fixture f(diamond());
  f.script("top").hangs = true; // would hang for ever
  f.early_stops = {stop_cause::user};
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::cancelled);
  f.actors->stop(stop_cause::user, true); // after the end: ignored
}

TEST_CASE("abort ends what runs when something fails") {
  run_fixture f(diamond());
  f.policy.error_strategy = error_strategy::abort;
  f.script("left").hangs = true;
  f.script("right").outcomes = {outcome_kind::signalled};
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::failed);
  CHECK(f.work.ends() == std::vector{urgency::graceful});
  CHECK(f.status("left") == asset_status::cancelled);
}

TEST_CASE("a run that is over before it begins is recorded all the same") {
  pipeline_builder b;
  b.asset("missing");
  b.asset("a").deps({"missing"});
  b.asset("c").deps({"a"});
  run_fixture f(b);
  f.outside = f["missing"];
  f.never_made = {{f["a"], f["missing"]}};
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::failed);
  CHECK(f.observer.saw("a blocked by missing"));
  CHECK(f.observer.saw("c blocked by missing"));
  CHECK(std::holds_alternative<writer_closed>(f.store.events().back()));
}

TEST_CASE("new names and files are recorded before the events that use them") {
  run_fixture f(diamond());
  f.new_names = {paths_interned{path_id(0U), {"test/x"}}};
  CHECK(f.run().durable);
  std::size_t named = 0;
  std::size_t begun = 0;
  const auto events = f.store.events();
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (std::holds_alternative<paths_interned>(events[i]))
      named = i;
    if (std::holds_alternative<attempt_started>(events[i]) && begun == 0)
      begun = i;
  }
  CHECK(named > 0);
  CHECK(named < begun);
}

TEST_CASE("an attempt is in the journal's order before it is executed, and strict, on disk") {
  for (const bool strict : {false, true}) {
    run_fixture f(diamond());
    f.strict = strict;
    std::atomic<int> early{0};
    f.work.on_execute = [&](asset_index asset, std::uint32_t attempt) {
      bool there = false;
      for (const auto& e : f.store.events())
        if (const auto* started = std::get_if<attempt_started>(&e))
          there = there || (started->asset == f.ids[asset.value] && started->attempt == attempt);
      early += there ? 0 : 1;
    };
    CHECK(f.run().durable);
    CHECK(f.check_history() == run_status::succeeded);
    CHECK(early == 0);
  }
}

TEST_CASE("checkpoints hold the state as of the events before them") {
  run_fixture f(diamond());
  f.checkpoint_every = 2;
  CHECK(f.run().durable);
  REQUIRE_FALSE(f.log.checkpoints.empty());
  // Each is the fold of some prefix, in order.
  run_state state;
  std::size_t found = 0;
  for (const auto& e : f.store.events()) {
    state.apply(e);
    if (found < f.log.checkpoints.size() && state.started() && state.encode() == f.log.checkpoints[found])
      ++found;
  }
  CHECK(found == f.log.checkpoints.size());
}

TEST_CASE("when the journal fails the run breaks off: not durable, the problem named, nothing more recorded") {
  for (std::uint64_t appends = 0; appends < 12; ++appends) {
    CAPTURE(appends);
    run_fixture f(diamond());
    f.store.fail_after(appends + 2); // names and run_started come before the actors
    const auto end = f.run();
    const bool all_written = f.logic->state().finished() && f.store.events().size() > 2 &&
                             std::holds_alternative<writer_closed>(f.store.events().back());
    CHECK(end.durable == all_written);
    if (!end.durable) {
      CHECK(end.problem == "the disk is full (as the test asked)");
      CHECK_FALSE(end.internal);
    }
    // What is there is a consistent past.
    run_checker checker(*f.p, *f.graph, f.ids, f.policy.workers);
    for (const auto& e : f.store.events())
      if (!std::holds_alternative<names_interned>(e) && !std::holds_alternative<writer_closed>(e))
        checker.observe(e);
  }
}

TEST_CASE("nothing is started before the run's beginning is told to be on disk") {
  run_fixture f(diamond());
  std::thread disk;
  std::atomic<bool> told{false};
  std::atomic<int> too_early{0};
  f.work.on_execute = [&](asset_index, std::uint32_t) { too_early += told ? 0 : 1; };
  f.when_on_disk = [&](std::function<void(result<std::uint64_t>)> then) {
    disk = std::thread([&told, then = std::move(then)] {
      std::this_thread::sleep_for(20ms);
      told = true;
      then(std::uint64_t{2});
    });
  };
  const auto end = f.run();
  disk.join();
  CHECK(end.durable);
  CHECK(too_early == 0);
  CHECK(f.check_history() == run_status::succeeded);
}

TEST_CASE("a run whose beginning cannot be recorded starts nothing and says why") {
  run_fixture f(diamond());
  std::atomic<int> executed{0};
  f.work.on_execute = [&](asset_index, std::uint32_t) { ++executed; };
  f.when_on_disk = [](const std::function<void(result<std::uint64_t>)>& then) {
    then(fail(error_code::io, "the disk is full"));
  };
  const auto end = f.run();
  CHECK_FALSE(end.durable);
  CHECK(end.problem == "the disk is full");
  CHECK(executed == 0);
}

TEST_CASE("when the journal fails while an attempt hangs, the run ends without waiting for it") {
  run_fixture f(diamond());
  f.script("left").hangs = true;
  f.work.on_execute = [&](asset_index asset, std::uint32_t) {
    if (asset == f["left"])
      f.store.fail_after(0);
  };
  const auto end = f.run();
  CHECK_FALSE(end.durable);
  CHECK_FALSE(end.internal);
}

TEST_CASE("an executor that reports twice changes nothing by it") {
  pipeline_builder b;
  b.asset("good").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("bad").with([](asset_settings& s) { s.allow_failure = true; });
  b.asset("keeps_open");
  b.asset("after").deps({"good", "bad"});
  run_fixture f(b);
  f.policy.workers = 4;
  f.script("good").reports_twice = true;
  f.script("bad").outcomes = {outcome_kind::exited};
  f.script("bad").reports_twice = true;
  CHECK(f.run().durable);
  CHECK(f.check_history() == run_status::succeeded);
  CHECK(f.status("good") == asset_status::succeeded);
  CHECK(f.status("bad") == asset_status::failed);
  CHECK(f.work.upstreams_of(f["after"]) ==
        std::vector<digest>{scripted_executor::version_of(f["good"], 1), version_of_allowed_failure()});
}

TEST_CASE("an exception in an actor is an internal error of the run, not a hang") {
  SUBCASE("of the executor, examining") {
    run_fixture f(diamond());
    f.script("left").throws_examined = true;
    const auto end = f.run();
    CHECK_FALSE(end.durable);
    CHECK(end.internal);
    CHECK(end.problem == "executor actor: the examination burst");
  }
  SUBCASE("of the executor, executing") {
    run_fixture f(diamond());
    f.script("top").throws_executed = true;
    const auto end = f.run();
    CHECK(end.internal);
    CHECK(end.problem == "executor actor: the execution burst");
  }
  SUBCASE("of the observer, on the supervisor") {
    run_fixture f(diamond());
    f.observer.on_line = [](const std::string& line) {
      if (line == "top succeeded")
        throw std::runtime_error("the terminal burst");
    };
    const auto end = f.run();
    CHECK_FALSE(end.durable);
    CHECK(end.internal);
    CHECK(end.problem == "supervisor actor: the terminal burst");
  }
  SUBCASE("of something that is no std::exception") {
    run_fixture f(diamond());
    f.observer.on_line = [](const std::string& line) {
      if (line == "top attempt 1")
        throw 42;
    };
    const auto end = f.run();
    CHECK(end.internal);
    CHECK(end.problem == "supervisor actor: an exception that is no std::exception");
  }
}
