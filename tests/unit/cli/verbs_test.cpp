// The verbs that only look: plan, status, explain, graph, runs, show, logs, validate, and the small ones.
#include "adapters/lmdb_journal_store.hpp"
#include "adapters/system_clock.hpp"
#include "app/cli/run_text.hpp"
#include "fake_engine.hpp"
#include "support/temporary_folder.hpp"
#include "terminal.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace troupe;
using test::engine;
using test::troupe_cli;
namespace bj = boost::json;

namespace {

asset_run_report ran(std::string name, asset_status status) {
  asset_run_report asset;
  asset.name = std::move(name);
  asset.status = status;
  asset.attempts = 1;
  asset.started_at = test::at(1);
  asset.took = std::chrono::milliseconds(2500);
  asset.reasons = {{reason_kind::never_materialized, ""}};
  return asset;
}

run_report some_run(run_status status = run_status::failed) {
  run_report report;
  report.run = test::make_run(3, status);
  report.run.request.selection = {"report"};
  report.run.request.params = {{"n", "5"}};
  auto clean = ran("clean", asset_status::failed);
  clean.error = "exit status 2";
  clean.attempts = 2;
  clean.last_log_attempt = 2;
  clean.has_log = true;
  asset_run_report blocked;
  blocked.name = "report";
  blocked.status = asset_status::blocked;
  blocked.because = "clean";
  asset_run_report fresh;
  fresh.name = "raw";
  fresh.status = asset_status::fresh;
  report.assets = {fresh, clean, blocked, ran("n[a]", asset_status::succeeded)};
  report.run.counts = test::counts_of(report);
  return report;
}

void with_run() {
  test::reset();
  engine().runs = {some_run().run};
  engine().report = [](run_number) { return some_run(); };
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(part, " is not in\n", text);
  return found;
}

std::string text_of(const bj::value& value) {
  return std::string(value.as_string());
}

asset_status_report status_of(asset_index asset, plan_action action, std::vector<reason> reasons) {
  asset_status_report status;
  status.asset = asset;
  status.action = action;
  status.fresh = action == plan_action::fresh;
  status.reasons = std::move(reasons);
  return status;
}

materialization made_in(std::uint32_t run) {
  materialization made;
  made.run = run_number(run);
  made.attempt = 1;
  made.finished_at = test::at(9);
  made.took = std::chrono::seconds(3);
  return made;
}

} // namespace

TEST_CASE("without a verb the help is printed") {
  const auto done = troupe_cli({});
  CHECK(done.status == 0);
  CHECK(has(done.out, "Usage: troupe COMMAND [OPTIONS]"));
  CHECK(done.out == troupe_cli({"--help"}).out);
}

TEST_CASE("every verb has help with examples") {
  for (const auto* verb : {"run", "plan", "explain", "validate", "graph", "status", "runs", "show", "logs", "resume",
                           "cancel", "journal", "init", "schema", "completions", "version"}) {
    const auto done = troupe_cli({verb, "--help"});
    CHECK(done.status == 0);
    CHECK(has(done.out, "Usage: troupe " + std::string(verb)));
    CHECK(has(done.out, "Examples:\n  "));
  }
}

TEST_CASE("a wrong command line says how to get help, and is exit status 2") {
  const auto done = troupe_cli({"pln"});
  CHECK(done.status == 2);
  CHECK(done.out.empty());
  CHECK(done.err == "error: unknown command 'pln'; did you mean \"plan\"?\n'troupe --help' tells more\n");
  CHECK(has(troupe_cli({"run", "--fast"}).err, "'troupe run --help' tells more"));
}

TEST_CASE("the version is told as a verb, an option and a document") {
  CHECK(troupe_cli({"version"}).out == "troupe " TROUPE_VERSION "\n");
  CHECK(troupe_cli({"--version"}).out == "troupe " TROUPE_VERSION "\n");
  CHECK(bj::parse(troupe_cli({"version", "--json"}).out).at("version") == TROUPE_VERSION);
}

TEST_CASE("a plan lists actions and reasons, and counts them") {
  test::reset();
  engine().plan = [](const project&, const run_options& options) {
    CHECK(options.selection == std::vector<std::string>{"report"});
    CHECK(options.only);
    CHECK(options.force);
    CHECK(options.exclude == std::vector<std::string>{"a", "b"});
    plan_report plan;
    plan.order = {asset_index(0U), asset_index(1U), asset_index(2U)};
    plan.assets = {
        {plan_action::fresh, {}},
        {plan_action::run, {{reason_kind::input_changed, "raw.txt"}, {reason_kind::always, ""}}},
        {plan_action::maybe, {{reason_kind::upstream_changed, "clean"}, {reason_kind::upstream_changed, "x"}}}};
    plan.warnings = {"a glob matches nothing"};
    return plan;
  };
  const auto done = troupe_cli({"plan", "report", "--only", "--force", "-x", "a", "--exclude=b"});
  CHECK(done.status == 0);
  CHECK(done.out == "ACTION  ASSET   WHY\n"
                    "fresh   raw\n"
                    "run     clean   input changed: raw.txt; always\n"
                    "maybe   report  if this changes: clean, x\n"
                    "\n"
                    "demo: 1 to run, 1 may run, 1 fresh\n");
  CHECK(done.err == "warning: a glob matches nothing\n");
  const auto same = troupe_cli({"run", "--dry-run", "report", "--only", "--force", "-x", "a", "-x", "b", "--json"});
  CHECK(bj::parse(same.out).at("assets").at("clean").at("action") == "run");
}

TEST_CASE("a broken pipeline file is reported on standard error, with --json as a document, exit status 2") {
  test::reset();
  engine().open = [](const project_options& options, diagnostics& findings) -> result<project> {
    findings.file = options.file;
    findings.error({2, 3}, "unknown_key", "unknown key");
    return fail(error_code::invalid_input, options.file + " has 1 error");
  };
  for (const auto* verb : {"run", "plan", "status", "graph"}) {
    const auto done = troupe_cli({verb, "-f", "/nowhere.json"});
    CHECK(done.status == 2);
    CHECK(done.out.empty());
    CHECK(done.err == "/nowhere.json:2:3: error: unknown key [unknown_key]\nerror: /nowhere.json has 1 error\n");
  }
  const auto done = troupe_cli({"plan", "-f", "/nowhere.json", "--json"});
  CHECK(bj::parse(done.out).at("errors").at(0).at("line") == 2);
}

TEST_CASE("a malformed --param is a usage error, for every verb that takes it") {
  test::reset();
  for (const auto* verb : {"run", "plan", "status", "runs", "show", "graph", "cancel", "validate"}) {
    const auto done = troupe_cli({verb, "--param", "n"});
    CHECK(done.status == 2);
    CHECK(has(done.err, "--param takes NAME=VALUE, not 'n'"));
  }
  CHECK(troupe_cli({"logs", "x", "--param", "=1"}).status == 2);
}

TEST_CASE("errors of the state are exit status 3") {
  test::reset();
  engine().plan = [](const project&, const run_options&) -> result<plan_report> {
    return fail(error_code::state_unusable, "damaged");
  };
  CHECK(troupe_cli({"plan"}).status == 3);
  engine().statuses = [](const project&, const std::vector<std::string>&) -> result<std::vector<asset_status_report>> {
    return fail(error_code::state_locked, "held by 42");
  };
  CHECK(troupe_cli({"status"}).status == 3);
  CHECK(troupe_cli({"explain", "clean"}).status == 3);
  engine().cancel = [](const auto&) -> result<run_record> { return fail(error_code::internal, "a bug"); };
  CHECK(troupe_cli({"cancel"}).status == 1);
}

TEST_CASE("status lists freshness, the last materialization, and why") {
  test::reset();
  engine().runs = {test::make_run(4, run_status::succeeded)};
  engine().statuses = [](const project&, const std::vector<std::string>&) {
    auto clean = status_of(asset_index(1U), plan_action::fresh, {});
    clean.record.last = made_in(4);
    auto side = status_of(asset_index(3U), plan_action::maybe, {{reason_kind::upstream_changed, "raw"}});
    side.record.last = made_in(2);
    side.record.last->made.reported_version = "v1";
    return std::vector{clean, side,
                       status_of(asset_index(2U), plan_action::run, {{reason_kind::never_materialized, ""}})};
  };
  const auto done = troupe_cli({"status"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "clean   fresh"));
  CHECK(has(done.out, "000000000000"));
  CHECK(has(done.out, "upstream changed: raw"));
  CHECK(has(done.out, "report  stale    never"));
  CHECK(has(done.out, "demo: 1 of 3 assets fresh"));
  const auto document = bj::parse(troupe_cli({"status", "--json"}).out);
  CHECK(text_of(document.at("assets").at("clean").at("last").at("run")) == to_string(engine().runs[0].id));
  CHECK(document.at("assets").at("side").at("last").at("run").is_null()); // run #2 is forgotten
}

TEST_CASE("explain tells why now, when last, and what is around the asset") {
  test::reset();
  engine().runs = {test::make_run(4, run_status::succeeded)};
  auto status = status_of(asset_index(1U), plan_action::run, {{reason_kind::input_changed, "raw.txt"}});
  status.record.last = made_in(4);
  status.record.attempt = attempt_state::failed;
  status.record.attempt_run = run_number(5U);
  status.record.attempt_number = 2;
  status.record.attempt_started_at = test::at(0);
  status.record.attempt_reasons = {{reason_kind::command_changed, ""}};
  engine().statuses = [&](const project&, const std::vector<std::string>&) { return std::vector{status}; };
  auto done = troupe_cli({"explain", "clean"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "clean of demo\n  Without blanks\n  needs      raw\n  needed by  report\n"));
  CHECK(has(done.out, "stale: a run now would execute it\n  - The content of its input raw.txt has changed since.\n"));
  CHECK(has(done.out, "last made in run #4"));
  CHECK(has(done.out, "last ran in run #5, attempt 2"));
  CHECK(has(done.out, "it failed; it ran because\n  - Its command"));
  const auto document = bj::parse(troupe_cli({"explain", "clean", "--json"}).out);
  CHECK(text_of(document.at("last").at("run")) == to_string(engine().runs[0].id));
  CHECK(document.at("last_attempt").at("status") == "failed");
  CHECK(document.at("upstream") == bj::array{"raw"});

  status = status_of(asset_index(1U), plan_action::maybe, {{reason_kind::upstream_changed, "raw"}});
  done = troupe_cli({"explain", "clean"});
  CHECK(has(done.out, "early cut-off"));
  CHECK(has(done.out, "never run"));
  CHECK(bj::parse(troupe_cli({"explain", "clean", "--json"}).out).at("last_attempt").is_null());
  status = status_of(asset_index(1U), plan_action::fresh, {});
  for (const auto state :
       {attempt_state::running, attempt_state::cancelled, attempt_state::interrupted, attempt_state::succeeded}) {
    status.record.attempt = state;
    CHECK(has(troupe_cli({"explain", "clean"}).out, "never made\n"));
  }
  CHECK(has(troupe_cli({"explain", "clean"}).out, "the attempt before it in that run did not succeed"));
  engine().statuses = [](const project&, const std::vector<std::string>&) {
    return std::vector<asset_status_report>();
  };
  CHECK(troupe_cli({"explain", "clean"}).status == 1);
}

TEST_CASE("explain of something that is no asset names the nearest, or the assets of a matrix") {
  test::reset();
  auto done = troupe_cli({"explain", "claen"});
  CHECK(done.status == 2);
  CHECK(done.err == "error: there is no asset 'claen' in demo; did you mean \"clean\"?\n");
  done = troupe_cli({"explain", "n"});
  CHECK(done.status == 2);
  CHECK(done.err == "error: n is 2 assets; name one of them: n[a] and n[b]\n");
}

TEST_CASE("explain --run tells what happened in that run") {
  with_run();
  engine().logs_folder = "/logs";
  auto done = troupe_cli({"explain", "clean", "--run", "3"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "in run #3 ("));
  CHECK(has(done.out, "): failed\n  - It ran and failed (2 attempts): exit status 2."));
  CHECK(has(done.out, "log: /logs/3.clean.2.log"));
  CHECK(has(troupe_cli({"explain", "side", "--run", "3"}).out, "not part of it"));
  const auto document = bj::parse(troupe_cli({"explain", "clean", "--run", "3", "--json"}).out);
  CHECK(document.at("result").at("status") == "failed");
  CHECK(document.at("explanation").as_array().size() == 2);
  CHECK(bj::parse(troupe_cli({"explain", "side", "--run", "3", "--json"}).out).at("result").is_null());
  CHECK(troupe_cli({"explain", "clean", "--run", "9"}).status == 2);
}

TEST_CASE("the history is listed newest first, shortened unless asked") {
  test::reset();
  CHECK(troupe_cli({"runs"}).out == "no runs yet\n");
  CHECK(bj::parse(troupe_cli({"runs", "--json"}).out).at("runs").as_array().empty());
  for (std::uint32_t n = 25; n > 0; --n)
    engine().runs.push_back(test::make_run(n, n == 25 ? run_status::running : run_status::succeeded));
  const auto text = troupe_cli({"runs"}).out;
  CHECK(has(text, "#25  demo      running"));
  CHECK(has(text, "older ones are not listed"));
  CHECK_FALSE(text.find("#5 ") != std::string::npos);
  CHECK(has(troupe_cli({"runs", "--limit", "0"}).out, " #1  demo"));
  CHECK(bj::parse(troupe_cli({"runs", "--json"}).out).at("runs").as_array().size() == 25);
  CHECK(bj::parse(troupe_cli({"runs", "--json", "-l", "3"}).out).at("runs").as_array().size() == 3);
}

TEST_CASE("a run is shown whole, with the end of the logs of what failed") {
  with_run();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  std::ofstream(folder.path() + "/3.clean.2.log") << "one\n\x1b[31mtwo\x1b[0m\nno end";
  const auto done = troupe_cli({"show"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "run #3 of demo: failed\n"));
  CHECK(has(done.out, "asked     report --param n=5\n"));
  CHECK(has(done.out, "assets    1 failed, 1 blocked, 1 succeeded, 1 fresh\n"));
  CHECK(has(done.out, "report  blocked                                blocked by clean\n"));
  CHECK(has(done.out, "1 fresh asset not listed (--all lists them)"));
  CHECK(has(done.out, "failed: clean after 2 attempts: exit status 2\n"));
  CHECK(has(done.out, "  | one\n  | two\n  | no end\n"));
  CHECK(has(troupe_cli({"show", "#3", "--all"}).out, "raw     fresh"));
  CHECK(text_of(bj::parse(troupe_cli({"show", "3", "--json"}).out).at("assets").at("clean").at("log")) ==
        folder.path() + "/3.clean.2.log");
  CHECK(troupe_cli({"show", "4"}).status == 2);
  engine().report = [](run_number) -> result<run_report> { return fail(error_code::state_unusable, "damaged"); };
  CHECK(troupe_cli({"show"}).status == 3);
}

TEST_CASE("logs prints the last output of the latest run that executed the asset") {
  with_run();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  std::ofstream(folder.path() + "/3.clean.2.log") << "second\xFF\n";
  std::ofstream(folder.path() + "/3.clean.1.log") << "first\n";
  CHECK(troupe_cli({"logs", "clean"}).out == "second\xFF\n"); // bytes as they are
  CHECK(troupe_cli({"logs", "clean", "--attempt", "1", "--run", "3"}).out == "first\n");
  const auto document = bj::parse(troupe_cli({"logs", "clean", "--json"}).out);
  CHECK(document.at("attempt") == 2);
  CHECK(document.at("text") == "second\xEF\xBF\xBD\n");
  auto done = troupe_cli({"logs", "clean", "--attempt", "3"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "clean had 2 attempts in run #3"));
}

TEST_CASE("logs says why there is nothing to print") {
  with_run();
  engine().logs_folder = "/nowhere";
  auto done = troupe_cli({"logs", "n[a]"});
  CHECK(done.status == 0);
  CHECK(done.out.empty());
  CHECK(has(done.err, "attempt 1 at n[a] in run #3 wrote nothing\n"));
  CHECK(has(troupe_cli({"logs", "clean"}).err, "or its log is gone"));
  CHECK(has(troupe_cli({"logs", "report", "--run", "3"}).err, "report was not executed in run #3 (blocked)"));
  CHECK(bj::parse(troupe_cli({"logs", "n[a]", "--json"}).out).at("text").is_null());
  done = troupe_cli({"logs", "claen"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "no run executed an asset 'claen'; did you mean \"clean\"?"));
  done = troupe_cli({"logs", "claen", "--run", "3"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "run #3 has no asset 'claen'; did you mean \"clean\"?"));
  CHECK(troupe_cli({"logs", "clean", "--follow", "--json"}).status == 2);
  CHECK(troupe_cli({"logs", "clean", "--run", "8"}).status == 2);
}

TEST_CASE("logs --follow goes on until the attempt has ended") {
  test::reset();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  engine().runs = {test::make_run(3, run_status::running)};
  std::ofstream(folder.path() + "/3.clean.1.log") << "begun\n";
  int asked = 0;
  engine().report = [&](run_number) {
    run_report report;
    report.run = test::make_run(3, run_status::running);
    report.assets = {ran("clean", asset_status::running)};
    if (++asked == 2)
      std::ofstream(folder.path() + "/3.clean.1.log", std::ios::app) << "more\n";
    if (asked == 3) {
      std::ofstream(folder.path() + "/3.clean.1.log", std::ios::app) << "the end\n";
      report.assets[0].status = asset_status::succeeded;
    }
    return report;
  };
  const auto done = troupe_cli({"logs", "clean", "--follow"});
  CHECK(done.status == 0);
  CHECK(done.out == "begun\nmore\nthe end\n");
  CHECK(asked == 3);
}

TEST_CASE("logs --follow waits for an attempt that has not started, and reports what breaks meanwhile") {
  test::reset();
  engine().logs_folder = "/nowhere";
  engine().runs = {test::make_run(3, run_status::running)};
  int asked = 0;
  engine().report = [&](run_number) -> result<run_report> {
    if (++asked == 3)
      return fail(error_code::state_unusable, "damaged");
    run_report report;
    report.run = test::make_run(3, run_status::running);
    report.assets = {ran("clean", asset_status::waiting)};
    report.assets[0].attempts = 0;
    return report;
  };
  CHECK(troupe_cli({"logs", "clean", "--follow"}).status == 3);
  asked = 0;
  engine().report = [&](run_number) -> result<run_report> {
    run_report report;
    report.run = test::make_run(3, run_status::running);
    if (++asked == 1)
      report.assets = {ran("clean", asset_status::running)};
    return report;
  };
  CHECK(troupe_cli({"logs", "clean", "--follow"}).status == 1);
}

TEST_CASE("init writes a pipeline that is valid, and overwrites nothing") {
  test::reset();
  const temporary_folder folder;
  const auto file = folder.path() + "/first.json";
  auto done = troupe_cli({"init", "-f", file});
  CHECK(done.status == 0);
  CHECK(has(done.out, "wrote " + file));
  CHECK(has(troupe_cli({"validate", "-f", file}).out, "valid: 5 assets, 5 dependencies"));
  std::ofstream(file) << "mine";
  done = troupe_cli({"init", "-f", file});
  CHECK(done.status == 2);
  CHECK(has(done.err, "is there already"));
  std::string content;
  std::getline(std::ifstream(file), content);
  CHECK(content == "mine");
  CHECK(troupe_cli({"init", "-f", "-"}).status == 2);
  CHECK(troupe_cli({"init", "-f", folder.path() + "/no/such/folder.json"}).status == 2);
  const auto other = folder.path() + "/other.json";
  CHECK(text_of(bj::parse(troupe_cli({"init", "--json", "-f", other}).out).at("file")) == other);
  CHECK(troupe_cli({"init", "-f", "/dev/full"}).status == 2); // it exists
}

TEST_CASE("validate reports every mistake, as text and as a document") {
  test::reset();
  const temporary_folder folder;
  const auto file = folder.path() + "/x.json";
  std::ofstream(file) << "{ \"name\": \"x\", \"assets\": { \"a\": { \"comand\": \"true\", \"deps\": [\"b\"] } } }\n";
  auto done = troupe_cli({"validate", "-f", file});
  CHECK(done.status == 2);
  CHECK(has(done.out, "comand"));
  CHECK(has(done.out, "^\n"));
  CHECK(has(done.out, "errors\n"));
  auto document = bj::parse(troupe_cli({"validate", "-f", file, "--json"}).out);
  CHECK(document.at("ok") == false);
  CHECK(document.at("errors").as_array().size() >= 2);
  std::ofstream(file) << "{ \"name\": \"x\", \"assets\": { \"a\": { \"command\": \"true\" } } }\n";
  done = troupe_cli({"validate", "-f", file});
  CHECK(done.status == 0);
  CHECK(has(done.out, "valid: 1 asset, 0 dependencies\n"));
  CHECK(bj::parse(troupe_cli({"validate", "-f", file, "--json"}).out).at("ok") == true);
  CHECK(troupe_cli({"validate", "-f", folder.path() + "/none.json"}).status == 2);
}

TEST_CASE("the graph is drawn with statuses, and without them where the state cannot tell") {
  test::reset();
  engine().statuses = [](const project&, const std::vector<std::string>&) {
    auto running = status_of(asset_index(2U), plan_action::run, {});
    running.record.attempt = attempt_state::running;
    auto failed = status_of(asset_index(3U), plan_action::run, {});
    failed.record.attempt = attempt_state::failed;
    return std::vector{status_of(asset_index(0U), plan_action::fresh, {}),
                       status_of(asset_index(1U), plan_action::maybe, {}), running, failed,
                       status_of(asset_index(4U), plan_action::run, {})};
  };
  CHECK(has(troupe_cli({"graph"}).out, "clean"));
  CHECK(has(troupe_cli({"graph", "--format", "dot"}).out, "digraph"));
  CHECK(has(troupe_cli({"graph", "--format", "mermaid", "clean+"}).out, "flowchart"));
  const auto document = bj::parse(troupe_cli({"graph", "--json"}).out);
  CHECK(document.at("pipeline") == "demo");
  CHECK(document.at("nodes").as_array().size() == 6);
  CHECK(document.at("edges").at(0).as_object().contains("from"));
  CHECK(troupe_cli({"graph", "nothing-like-it"}).status == 2);
  engine().statuses = [](const project&, const std::vector<std::string>&) -> result<std::vector<asset_status_report>> {
    return fail(error_code::state_unusable, "damaged");
  };
  const auto done = troupe_cli({"graph"});
  CHECK(done.status == 0);
  CHECK(done.err == "warning: drawn without statuses: damaged\n");
  CHECK(troupe_cli({"graph", "--no-status"}).err.empty());
  const test::scoped_environment nothing_there("PATH", "/nowhere");
  CHECK(troupe_cli({"graph", "--no-status", "--format", "svg"}).status == 2);
}

TEST_CASE("the schema is a JSON document") {
  CHECK(bj::parse(troupe_cli({"schema"}).out).as_object().contains("properties"));
}

TEST_CASE("where there is no state the journal is empty, and nothing is wrong with it") {
  test::reset();
  const temporary_folder folder;
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder / "none"); };
  CHECK(has(troupe_cli({"journal", "verify"}).out, "ok: 0 events"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "events      none"));
  CHECK(troupe_cli({"journal", "dump"}).out.empty());
  CHECK(bj::parse(troupe_cli({"journal", "verify", "--json"}).out).at("ok") == true);
  CHECK(bj::parse(troupe_cli({"journal", "stats", "--json"}).out).at("runs") == 0);
  for (const auto* verb : {"verify", "stats", "dump"})
    CHECK(troupe_cli({"journal", verb}).status == 0);
  engine().state_folder = [&](const project_options&) { return result<std::string>(fail(error_code::io, "no")); };
  for (const auto* verb : {"verify", "stats", "dump"})
    CHECK(troupe_cli({"journal", verb}).status == 2);
}

TEST_CASE("what is no journal is refused with exit status 3") {
  test::reset();
  const temporary_folder folder;
  folder.write("journal.mdb", "this is no journal");
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder.path()); };
  for (const auto* verb : {"stats", "dump"}) {
    const auto done = troupe_cli({"journal", verb});
    CHECK(done.status == 3);
    CHECK(has(done.err, "error: "));
  }
  CHECK(troupe_cli({"journal", "verify"}).status == 3);
}

TEST_CASE("a journal with events is counted, dumped and verified") {
  test::reset();
  const temporary_folder folder;
  engine().state_folder = [&](const project_options&) { return result<std::string>(folder / "state"); };
  {
    system_clock time;
    auto store = open_journal(folder / "state", {}, time);
    REQUIRE(store.has_value());
    const std::vector<event> events{writer_opened{test::at(0), "boot", 7}, names_interned{asset_id(0U), {"demo/clean"}},
                                    paths_interned{path_id(0U), {"demo/raw.txt"}}, writer_closed{test::at(1)}};
    REQUIRE((*store)->append(events).has_value());
  }
  CHECK(has(troupe_cli({"journal", "verify"}).out, "ok: 4 events"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "events      1 to 4"));
  CHECK(has(troupe_cli({"journal", "stats"}).out, "writer_opened"));
  CHECK(bj::parse(troupe_cli({"journal", "stats", "--json"}).out).at("types").at("names_interned").at("events") == 1);
  const auto dumped = troupe_cli({"journal", "dump", "--from", "3"}).out;
  CHECK(bj::parse(dumped.substr(0, dumped.find('\n'))).at("seq") == 3);
  CHECK(std::count(dumped.begin(), dumped.end(), '\n') == 2);
}

TEST_CASE("times and paths are short for people") {
  using namespace troupe::cli;
  CHECK(ago(test::at(0), test::at(0)) == "just now");
  CHECK(ago(test::at(5), test::at(0)) == "just now");
  CHECK(ago(test::at(0), test::at(65)) == "1m05s ago");
  const test::scoped_environment zone("TZ", "UTC");
  CHECK(local_time(test::at(0)) == "2026-01-02 03:04:05");
  CHECK(short_path(std::filesystem::current_path().string() + "/x/y") == "x/y");
  CHECK(short_path("/elsewhere") == "/elsewhere");
  CHECK(counts_text({}) == "nothing");
  for (const auto status : {run_status::queued, run_status::running, run_status::cancelled, run_status::interrupted})
    CHECK(tint_of(status) != tint::none);
  CHECK(last_lines("/nowhere", 10).empty());
}
