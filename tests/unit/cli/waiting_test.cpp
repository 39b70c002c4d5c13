// --wait: what is done after a wait, again and not at all.
#include "fake_engine.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;
using test::engine;
using test::troupe_cli;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A run that finds the lock taken `times` times.
struct taken_lock {
  explicit taken_lock(int how_often) : times(how_often) {
    test::reset();
    engine().wait = [this](const std::string&, const wait_setup& how) {
      waits.push_back(how.longest);
      return result<wait_end>(end);
    };
    engine().run = [this](const project&, const run_options&, run_observer&, stop_request&) -> result<run_result> {
      ++runs;
      if (times-- > 0)
        return fail_while_held("state x is in use by process 42");
      return run_result{run_number(5U), {}, run_status::succeeded, {}, {}, {}, {}};
    };
  }
  int times;
  int runs = 0;
  wait_end end = wait_end::freed;
  std::vector<std::optional<duration>> waits;
};

} // namespace

TEST_CASE("without --wait nothing is waited for") {
  taken_lock lock(1);
  const auto done = troupe_cli({"run"});
  CHECK(done.status == 3);
  CHECK(contains(done.err, "in use by process 42"));
  CHECK(lock.waits.empty());
}

TEST_CASE("with --wait a run that finds somebody faster waits again, and says nothing of it") {
  taken_lock lock(3);
  const auto done = troupe_cli({"run", "--wait"});
  CHECK(done.status == 0);
  CHECK_FALSE(contains(done.err, "in use"));
  CHECK(lock.runs == 4);
  CHECK(lock.waits == std::vector<std::optional<duration>>(4));
}

TEST_CASE("the time of --wait is for all waits together, and once it is over the holder is named") {
  taken_lock lock(1);
  lock.end = wait_end::time_over;
  const auto done = troupe_cli({"run", "--wait=30s"});
  CHECK(done.status == 3);
  CHECK(contains(done.err, "in use by process 42"));
  CHECK(lock.runs == 1);
  REQUIRE(lock.waits.size() == 1);
  CHECK(*lock.waits[0] <= std::chrono::seconds(30));
  CHECK(*lock.waits[0] > std::chrono::seconds(20));
}

TEST_CASE("what cannot be mended by waiting ends the verb") {
  taken_lock lock(0);
  engine().run = [&](const project&, const run_options&, run_observer&, stop_request&) -> result<run_result> {
    ++lock.runs;
    return fail(error_code::state_locked, "something still runs");
  };
  const auto done = troupe_cli({"run", "--wait"});
  CHECK(done.status == 3);
  CHECK(contains(done.err, "something still runs"));
  CHECK(lock.runs == 1);
}

TEST_CASE("a wait that fails ends the verb, and nothing is run") {
  taken_lock lock(0);
  engine().wait = [](const std::string&, const wait_setup&) {
    return result<wait_end>(fail(error_code::state_locked, "it would wait for itself"));
  };
  const auto done = troupe_cli({"run", "--wait", "--json"});
  CHECK(done.status == 3);
  CHECK(contains(done.out, "it would wait for itself"));
  CHECK(lock.runs == 0);
}

TEST_CASE("each try has the options as they were given") {
  test::reset();
  engine().runs = {test::make_run(4, run_status::failed)};
  std::vector<std::string> params;
  engine().resume = [&](const project&, run_number, run_observer&, stop_request&) -> result<run_result> {
    if (params.size() < 3)
      return fail_while_held("in use");
    return run_result{run_number(4U), {}, run_status::succeeded, {}, {}, {}, {}};
  };
  engine().open = [&](const project_options& asked, diagnostics&) -> result<project> {
    params.push_back(asked.file + "|" + asked.state);
    return test::make_project();
  };
  CHECK(troupe_cli({"resume", "4", "-f", "x.json", "--wait"}).status == 0);
  REQUIRE(params.size() == 3);
  CHECK(params[0] == params[2]);
}

TEST_CASE("the time of --wait is written behind an equals sign; what else follows is an argument") {
  taken_lock lock(0);
  CHECK(troupe_cli({"run", "--wait", "clean"}).status == 0);
  CHECK(lock.waits == std::vector<std::optional<duration>>{std::nullopt});
  CHECK(troupe_cli({"run", "--wait=5m", "--wait=250ms"}).status == 0);
  CHECK(*lock.waits.at(1) <= std::chrono::milliseconds(250));
  for (const auto* wrong : {"soon", "3", "-1s", "1.5s"}) {
    const auto done = troupe_cli({"run", std::string("--wait=") + wrong});
    CHECK(done.status == 2);
    CHECK(contains(done.err, std::string("--wait takes a time such as 30s, not '") + wrong + "'"));
  }
  CHECK(lock.runs == 2);
}

TEST_CASE("every verb that takes the lock waits, and a dry run does not") {
  taken_lock lock(0);
  engine().compact = [](const std::string&, const retention_rule&, duration) {
    return result<state_compaction>(state_compaction());
  };
  engine().plan = [](const project&, const run_options&) { return result<plan_report>(plan_report()); };
  const std::vector<std::vector<std::string>> verbs = {{"run"},
                                                       {"clean"},
                                                       {"clean", "--orphans"},
                                                       {"adopt", "--all"},
                                                       {"journal", "compact"},
                                                       {"journal", "rebuild"},
                                                       {"journal", "trust"}};
  for (auto words : verbs) {
    words.emplace_back("--wait");
    static_cast<void>(troupe_cli(words));
  }
  CHECK(lock.waits.size() == verbs.size());
  static_cast<void>(troupe_cli({"run", "-n", "--wait"}));
  static_cast<void>(troupe_cli({"clean", "-n", "--wait"}));
  CHECK(lock.waits.size() == verbs.size());
  for (const auto* verb : {"plan", "status", "cancel", "runs"})
    CHECK(troupe_cli({verb, "--wait"}).status == 2);
}
