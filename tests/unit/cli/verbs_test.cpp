// The verbs that only look: plan, status, explain, graph, validate, and the small ones.
#include "cli/run_text.hpp"
#include "support/temporary_folder.hpp"
#include "terminal.hpp"
#include "verb_fixtures.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace troupe_internal;
using test::engine;
using test::has;
using test::made_in;
using test::status_of;
using test::text_of;
using test::troupe_cli;
namespace bj = boost::json;

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
    plan.warnings = {{asset_index(1U), {"empty_glob", "a glob matches nothing"}}};
    return plan;
  };
  const auto done = troupe_cli({"plan", "report", "--only", "--force", "-x", "a", "--exclude=b"});
  CHECK(done.status == 0);
  CHECK(done.out == "ACTION  ASSET   WHY\n"
                    "run     clean   input changed: raw.txt; always\n"
                    "maybe   report  if this changes: clean, x\n"
                    "\n"
                    "demo: 1 to run, 1 may run, 1 fresh\n");
  CHECK(done.err == "warning: asset clean: a glob matches nothing [empty_glob]\n");
  const auto all = troupe_cli({"plan", "report", "--only", "--force", "-x", "a", "--exclude=b", "-a"});
  CHECK(all.out.find("fresh   raw\n") != std::string::npos);
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
    auto fresh = status_of(asset_index(1U), plan_action::fresh, {});
    fresh.record.last = made_in(4);
    auto waiting = status_of(asset_index(3U), plan_action::maybe, {{reason_kind::upstream_changed, "raw"}});
    waiting.record.last = made_in(2);
    waiting.record.last->made.reported_version = "v1";
    return std::vector{fresh, waiting,
                       status_of(asset_index(2U), plan_action::run, {{reason_kind::never_materialized, ""}})};
  };
  const auto done = troupe_cli({"status"});
  CHECK(done.status == 0);
  CHECK(has(done.out, "clean   fresh"));
  CHECK(has(done.out, "000000000000"));
  CHECK(has(done.out, "if this changes: raw"));
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
  CHECK(has(done.out, "failed: the last attempt failed, and a run now would try again\n  - The content of its input "
                      "raw.txt has changed since.\n"));
  CHECK(has(done.out, "last made in run #4"));
  CHECK(has(done.out, "last ran in run #5, attempt 2"));
  CHECK(has(done.out, "it failed; it ran because\n  - What was to be executed"));
  const auto document = bj::parse(troupe_cli({"explain", "clean", "--json"}).out);
  CHECK(text_of(document.at("last").at("run")) == to_string(engine().runs[0].id));
  CHECK(document.at("last_attempt").at("status") == "failed");
  CHECK(document.at("state") == "failed");
  status.record.attempt = attempt_state::succeeded;
  CHECK(has(troupe_cli({"explain", "clean"}).out, "stale: a run now would execute it\n"));
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

TEST_CASE("times and paths are short for people") {
  using namespace troupe_internal::cli;
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
}
