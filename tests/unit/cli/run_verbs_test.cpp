// The verbs that change something: run, resume, cancel; and how a run's end is told.
#include "adapters/system/system_clock.hpp"
#include "fake_engine.hpp"
#include "support/temporary_folder.hpp"
#include "verb_fixtures.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

using namespace troupe_internal;
using namespace std::chrono_literals;
using test::engine;
using test::has;
using test::troupe_cli;
namespace bj = boost::json;

namespace {

run_result ended(run_status status, std::initializer_list<std::pair<asset_status, std::uint32_t>> counts) {
  run_result result;
  result.run = run_number(5U);
  result.status = status;
  for (const auto& [asset, count] : counts)
    result.counts[static_cast<std::size_t>(asset)] = count;
  result.started_at = test::at(0);
  result.finished_at = test::at(0) + 1234ms;
  return result;
}

/// A run in which clean runs, and ends like this.
void run_clean(run_observer& observer, outcome_kind outcome) {
  run_outline outline;
  outline.run = run_number(5U);
  outline.assets = 6;
  outline.fresh = 4;
  outline.workers = 2;
  observer.run_began(outline);
  observer.attempt_began(asset_index(1U), 1, {{reason_kind::always, ""}}, 0s);
  attempt_end end;
  end.attempt = 1;
  end.outcome = outcome;
  end.message = outcome == outcome_kind::succeeded ? "" : "exit status 2";
  end.took = 1s;
  observer.attempt_ended(asset_index(1U), end);
  observer.asset_settled(asset_index(1U),
                         outcome == outcome_kind::succeeded ? asset_status::succeeded : asset_status::failed,
                         asset_index(1U), {});
  observer.asset_settled(asset_index(2U),
                         outcome == outcome_kind::succeeded ? asset_status::fresh : asset_status::blocked,
                         asset_index(1U), {});
}

run_report failed_report(const std::string& name) {
  run_report report;
  report.run = test::make_run(5, run_status::failed);
  asset_run_report asset;
  asset.name = name;
  asset.status = asset_status::failed;
  asset.attempts = 1;
  asset.error = "exit status 2";
  asset.last_log_attempt = 1;
  report.assets = {asset};
  return report;
}

} // namespace

TEST_CASE("a run is told line by line, then in a summary; exit status 0") {
  test::reset();
  engine().run = [](const project&, const run_options& options, run_observer& observer, stop_request&) {
    CHECK(options.selection == std::vector<std::string>{"report"});
    CHECK(options.workers == 3);
    CHECK(options.error_strategy == error_strategy::continue_);
    CHECK(options.params == std::vector<std::pair<std::string, std::string>>{{"n", "a=b"}});
    run_clean(observer, outcome_kind::succeeded);
    return ended(run_status::succeeded, {{asset_status::succeeded, 1}, {asset_status::fresh, 5}});
  };
  const auto done = troupe_cli({"run", "report", "-j3", "--error-strategy", "continue", "--param", "n=a=b"});
  CHECK(done.status == 0);
  CHECK(done.err.empty());
  CHECK(done.out == "run #5 of demo: 6 assets, 4 fresh, 2 workers\n"
                    "[1/2] clean  succeeded in 1.0s\n"
                    "[2/2] report  fresh after all: what it is made from did not change\n"
                    "run #5 succeeded in 1.2s: 1 succeeded, 5 fresh; early cut-off spared 1 asset\n");
}

TEST_CASE("a run in which all is fresh says so in one line") {
  test::reset();
  engine().run = [](const project&, const run_options&, run_observer& observer, stop_request&) {
    run_outline outline;
    outline.assets = outline.fresh = 6;
    observer.run_began(outline);
    return ended(run_status::succeeded, {{asset_status::fresh, 6}});
  };
  const auto done = troupe_cli({"run"});
  CHECK(done.status == 0);
  CHECK(done.out == "all fresh: 6 assets, nothing to do (1234 ms)\n");
}

TEST_CASE("a failed run tells what failed, shows the end of its log, and is exit status 1") {
  test::reset();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  {
    std::ofstream log(folder.path() + "/5.clean.1.log");
    for (int i = 1; i <= 12; ++i)
      log << "line " << i << "\n";
  }
  engine().report = [](run_number) { return failed_report("clean"); };
  engine().run = [](const project&, const run_options& options, run_observer& observer, stop_request&) {
    CHECK_FALSE(options.error_strategy.has_value());
    run_clean(observer, outcome_kind::exited);
    auto result =
        ended(run_status::failed, {{asset_status::failed, 1}, {asset_status::blocked, 1}, {asset_status::fresh, 4}});
    result.failed = {asset_index(1U)};
    return result;
  };
  const auto done = troupe_cli({"run"});
  CHECK(done.status == 1);
  CHECK(has(done.out, "[1/2] clean  failed after 1.0s: exit status 2\n[2/2] report  blocked by clean\n"));
  CHECK(has(done.out, "\nfailed: clean (attempt 1): exit status 2\n  command: make 'it'\\''s' clean\n  log: " +
                          folder.path() + "/5.clean.1.log\n  | line 3\n"));
  CHECK(has(done.out, "  | line 12\n\nrun #5 failed in 1.2s: 1 failed, 1 blocked, 4 fresh\n"));
  CHECK(has(done.out, "troupe resume 5 goes on with it"));
}

TEST_CASE("with --json the document is alone on standard output, progress is on standard error") {
  test::reset();
  engine().report = [](run_number) { return failed_report("clean"); };
  engine().run = [](const project&, const run_options&, run_observer& observer, stop_request&) {
    run_clean(observer, outcome_kind::exited);
    auto result = ended(run_status::failed, {{asset_status::failed, 1}});
    result.failed = {asset_index(1U)};
    return result;
  };
  auto done = troupe_cli({"run", "--json"});
  CHECK(done.status == 1);
  CHECK(bj::parse(done.out).at("assets").at("clean").at("exit_code").is_null());
  CHECK(bj::parse(done.out).at("assets").at("clean").at("status") == "failed");
  CHECK(has(done.err, "[1/2] clean"));
  CHECK(has(done.err, "run #5 failed"));
  engine().report = [](run_number) -> result<run_report> { return fail(error_code::state_unusable, "gone"); };
  done = troupe_cli({"run", "--json"});
  CHECK(done.status == 3);
  CHECK(bj::parse(done.out).at("error").at("message") == "gone");
}

TEST_CASE("an allowed failure is named, and the run is a success") {
  test::reset();
  engine().report = [](run_number) {
    auto allowed = failed_report("side");
    allowed.assets[0].allowed = true;
    return allowed;
  };
  engine().run = [](const project&, const run_options&, run_observer&, stop_request&) {
    auto result = ended(run_status::succeeded, {{asset_status::succeeded, 2}, {asset_status::failed, 1}});
    result.failed = {asset_index(3U)};
    return result;
  };
  const auto done = troupe_cli({"run", "--error-strategy", "abort"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "failed (allowed to): side (attempt 1): exit status 2"));
  CHECK(has(done.out, "allowed to fail: side\n"));
}

TEST_CASE("of very many failures only the first are shown") {
  test::reset();
  engine().logs_folder = "/nowhere";
  engine().report = [](run_number) {
    auto many = failed_report("clean");
    for (int i = 0; i < 30; ++i)
      many.assets.push_back(many.assets.front());
    return many;
  };
  engine().run = [](const project&, const run_options&, run_observer&, stop_request&) {
    auto result = ended(run_status::failed, {{asset_status::failed, 31}});
    result.failed = {asset_index(1U)};
    return result;
  };
  CHECK(has(troupe_cli({"run"}).out, "… and 11 more failed: troupe show 5\n"));
}

TEST_CASE("a run that signals ended is exit status 128 and the signal") {
  for (const auto& [signal, status] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}, std::pair{SIGHUP, 129}}) {
    test::reset();
    std::signal(signal, SIG_DFL); // what the caller of the tests had ignored stays ignored
    engine().run = [number = signal](const project&, const run_options&, run_observer& observer, stop_request& stop) {
      run_outline outline;
      outline.assets = 2;
      observer.run_began(outline);
      std::raise(number);
      CHECK(stop.count() == 1);
      observer.run_stopping(stop_cause::signal);
      observer.asset_settled(asset_index(1U), asset_status::cancelled, asset_index(1U), {});
      return ended(run_status::cancelled, {{asset_status::cancelled, 2}});
    };
    const auto done = troupe_cli({"run"});
    CHECK(done.status == status);
    CHECK(has(done.out, "run #5 cancelled"));
  }
}

TEST_CASE("a run cancelled from elsewhere is exit status 1, one that succeeded all the same 0") {
  test::reset();
  engine().run = [](const project&, const run_options&, run_observer&, stop_request&) {
    return ended(run_status::cancelled, {{asset_status::cancelled, 2}});
  };
  CHECK(troupe_cli({"run"}).status == 1);
  engine().run = [](const project&, const run_options&, run_observer&, stop_request& stop) {
    stop.request(SIGINT);
    return ended(run_status::succeeded, {{asset_status::succeeded, 2}});
  };
  CHECK(troupe_cli({"run"}).status == 0);
}

TEST_CASE("a state that is held by another is exit status 3, a selection of nothing 2") {
  test::reset();
  engine().run = [](const project&, const run_options&, run_observer&, stop_request&) -> result<run_result> {
    return fail(error_code::state_locked, "process 42 holds the state");
  };
  auto done = troupe_cli({"run"});
  CHECK(done.status == 3);
  CHECK(done.err == "error: process 42 holds the state\n");
  engine().run = [](const project&, const run_options&, run_observer&, stop_request&) -> result<run_result> {
    return fail(error_code::invalid_input, "'x' matches nothing");
  };
  done = troupe_cli({"run", "x", "--json"});
  CHECK(done.status == 2);
  CHECK(bj::parse(done.out).at("error").at("code") == "invalid_input");
}

TEST_CASE("resume opens the file in hand with the run's own params") {
  test::reset();
  auto run = test::make_run(5, run_status::failed);
  run.request.params = {{"n", "7"}, {"m", "x=y"}};
  run.request.pipeline_file = "troupe.json";
  engine().runs = {run};
  temporary_folder folder;
  folder.write("troupe.json", "{}");
  folder.write("pipes/a.json", "{}");
  engine().state_folder = [&](const project_options&) { return folder / ".troupe"; };
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  project_options opened;
  engine().open = [&](const project_options& options, diagnostics&) {
    opened = options;
    return test::make_project();
  };
  engine().resume = [](const project&, run_number number, run_observer&, stop_request&) {
    CHECK(number.value == 5);
    return ended(run_status::succeeded, {{asset_status::succeeded, 2}});
  };
  CHECK(troupe_cli({"resume"}).status == 0);
  CHECK(opened.file == "troupe.json");
  CHECK(opened.state == folder / ".troupe");
  CHECK(opened.params == std::vector<std::pair<std::string, std::string>>{{"n", "7"}, {"m", "x=y"}});
  CHECK(troupe_cli({"resume", "5", "-f", "mine.json"}).status == 0);
  CHECK(opened.file == "mine.json");
  engine().runs[0].request.pipeline_file = folder / "troupe.json"; // the same file, named otherwise
  CHECK(troupe_cli({"resume", "#5"}).status == 0);
  opened.file = "none";
  for (const std::string& named : {std::string("pipes/a.json"), folder / "pipes/a.json"}) {
    engine().runs[0].request.pipeline_file = named;
    const auto refused = troupe_cli({"resume", "#5"});
    CHECK(refused.status == 2);
    CHECK(has(refused.err, "troupe resume 5 -f 'pipes/a.json'"));
  }
  engine().runs[0].request.pipeline_file = "/nowhere/b.json\x1b[2J";
  const auto gone = troupe_cli({"resume"});
  CHECK(gone.status == 2);
  CHECK(has(gone.err, "/nowhere/b.json"));
  CHECK(gone.err.find('\x1b') == std::string::npos);
  CHECK(opened.file == "none"); // nothing was loaded for what a journal says
  std::filesystem::current_path(before);
}

TEST_CASE("resume with -f continues the latest run of that pipeline, whichever ran last in the state") {
  test::reset();
  auto other = test::make_run(6, run_status::failed);
  other.pipeline = "other";
  engine().runs = {other, test::make_run(5, run_status::failed), test::make_run(4, run_status::failed)};
  std::uint32_t resumed = 0;
  engine().resume = [&](const project&, run_number number, run_observer&, stop_request&) -> result<run_result> {
    resumed = number.value;
    return ended(run_status::succeeded, {});
  };
  engine().pipeline = "demo";
  CHECK(troupe_cli({"resume", "-f", "demo.json"}).status == 0);
  CHECK(resumed == 5);
  CHECK(troupe_cli({"resume"}).status == 0);
  CHECK(resumed == 6);
  CHECK(troupe_cli({"resume", "4", "-f", "demo.json"}).status == 0);
  CHECK(resumed == 4);
  engine().pipeline = "third";
  const auto done = troupe_cli({"resume", "-f", "third.json"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "there is no run of the pipeline \"third\""));
}

TEST_CASE("a failure that was to be tried again is told when the run stops") {
  test::reset();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  std::ofstream(folder.path() + "/5.clean.1.log") << "the cause\n";
  engine().run = [](const project&, const run_options&, run_observer& observer, stop_request&) {
    run_outline outline;
    outline.run = run_number(5U);
    outline.assets = 6;
    observer.run_began(outline);
    observer.attempt_began(asset_index(1U), 1, {}, 0s);
    attempt_end end;
    end.attempt = 1;
    end.outcome = outcome_kind::exited;
    end.retry_in = 60s;
    observer.attempt_ended(asset_index(1U), end);
    observer.run_stopping(stop_cause::signal);
    observer.asset_settled(asset_index(1U), asset_status::cancelled, asset_index(1U), {});
    return result<run_result>(ended(run_status::cancelled, {{asset_status::cancelled, 1}}));
  };
  engine().report = [](run_number) {
    auto whole = failed_report("clean");
    whole.assets[0].status = asset_status::cancelled;
    whole.assets[0].outcome = outcome_kind::exited;
    whole.assets[0].attempts = 1;
    whole.assets[0].last_log_attempt = 1;
    return whole;
  };
  const auto done = troupe_cli({"run"});
  CHECK(done.status == 1);
  CHECK(has(done.out, "clean  attempt 1 failed; not tried again, because the run stops\n"));
  CHECK(has(done.out, "failed, not tried again: clean (attempt 1): "));
  CHECK(has(done.out, "  | the cause\n"));
}

TEST_CASE("the run starts when the command did") {
  test::reset();
  std::optional<duration> started;
  engine().run = [&](const project&, const run_options& options, run_observer&, stop_request&) {
    started = options.command_started;
    return result<run_result>(ended(run_status::succeeded, {}));
  };
  const auto before = system_clock().monotonic();
  CHECK(troupe_cli({"run"}).status == 0);
  REQUIRE(started.has_value());
  CHECK(*started >= before);
  CHECK(*started <= system_clock().monotonic());
}

TEST_CASE("resume refuses other params, unknown runs, and what the engine refuses") {
  test::reset();
  CHECK(troupe_cli({"resume", "--param", "n=1"}).status == 2);
  CHECK(troupe_cli({"resume"}).status == 2);
  engine().runs = {test::make_run(5, run_status::failed)};
  engine().resume = [](const project&, run_number, run_observer&, stop_request&) -> result<run_result> {
    return fail(error_code::invalid_input, "changed since: clean");
  };
  const auto done = troupe_cli({"resume"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "changed since: clean"));
  engine().open = [](const project_options&, diagnostics&) -> result<project> {
    return fail(error_code::invalid_input, "broken");
  };
  CHECK(troupe_cli({"resume"}).status == 2);
  engine().state_folder = [](const project_options&) -> result<std::string> {
    return fail(error_code::io, "unreadable");
  };
  CHECK(troupe_cli({"resume"}).status == 2);
}

TEST_CASE("cancel waits for the end and tells it") {
  test::reset();
  engine().cancel = [](const std::optional<std::string>& name) -> result<run_record> {
    if (name && *name != "5")
      return fail(error_code::not_found, "run #" + *name + " is not live");
    auto run = test::make_run(5, run_status::cancelled);
    run.counts[static_cast<std::size_t>(asset_status::cancelled)] = 2;
    return run;
  };
  CHECK(troupe_cli({"cancel"}).out == "run #5 cancelled: 2 cancelled\n");
  CHECK(bj::parse(troupe_cli({"cancel", "5", "--json"}).out).at("status") == "cancelled");
  CHECK(troupe_cli({"cancel", "6"}).status == 2);
}
