// The verbs that look back: runs, show, logs, explain --run.
#include "support/temporary_folder.hpp"
#include "verb_fixtures.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace troupe_internal;
using test::engine;
using test::has;
using test::ran;
using test::text_of;
using test::troupe_cli;
using test::with_run;
namespace bj = boost::json;

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
  CHECK(has(done.out, "failed: clean (attempt 2): exit status 2\n"));
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
  CHECK(has(troupe_cli({"logs", "clean"}).err, "wrote output, but its log is gone"));
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

TEST_CASE("logs shows what a terminal would show, and with --raw every byte") {
  with_run();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  std::ofstream(folder.path() + "/3.clean.2.log") << "1%\r50%\r100%\ndone\n";
  CHECK(troupe_cli({"logs", "clean"}).out == "100%\ndone\n");
  CHECK(troupe_cli({"logs", "clean", "--raw"}).out == "1%\r50%\r100%\ndone\n");
  CHECK(text_of(bj::parse(troupe_cli({"logs", "clean", "--json"}).out).at("text")) == "1%\r50%\r100%\ndone\n");
}

TEST_CASE("the document of a log is of one asset: of a matrix its assets are named, in the latest run and in any") {
  with_run();
  for (const auto& words : {std::vector<std::string>{"logs", "n", "--json"}, {"logs", "n", "--run", "3", "--json"}}) {
    const auto done = troupe_cli(words);
    CHECK(done.status == 2);
    CHECK(has(done.err, "n is 1 asset; name one of them: n[a]"));
  }
}

TEST_CASE("logs of an asset whose run is no longer kept says so") {
  with_run();
  remembered_asset known{"demo", {}};
  engine().remembered = known; // it has never run
  CHECK(has(troupe_cli({"logs", "once"}).err, "no run executed an asset 'once'"));
  known.record.attempt = attempt_state::succeeded;
  known.record.attempt_run = run_number(1U);
  engine().remembered = known;
  const auto done = troupe_cli({"logs", "once"});
  CHECK(done.status == 2);
  CHECK(has(done.err, "once last ran in run #1, which is no longer kept"));
  CHECK_FALSE(done.err.find("did you mean") != std::string::npos);
  CHECK(has(troupe_cli({"logs", "n", "--json"}).err, "name one of them")); // what can be had first
}

TEST_CASE("an asset that failed and was not tried again is shown as one that failed") {
  with_run();
  const temporary_folder folder;
  engine().logs_folder = folder.path();
  std::ofstream(folder.path() + "/3.clean.2.log") << "why\n";
  engine().report = [](run_number) {
    auto report = test::some_run();
    report.assets[1].status = asset_status::cancelled;
    report.assets[1].outcome = outcome_kind::exited;
    return report;
  };
  auto done = troupe_cli({"show"});
  CHECK(has(done.out, "exit status 2; not tried again, because the run stopped"));
  CHECK(has(done.out, "failed, not tried again: clean (attempt 2): exit status 2\n"));
  CHECK(has(done.out, "  | why\n"));
  CHECK(has(troupe_cli({"explain", "clean", "--run", "3"}).out, "It was to be tried again, but the run was stopped"));
  engine().report = [](run_number) { // ended while it ran: that is no failure of its own
    auto report = test::some_run();
    report.assets[1].status = asset_status::cancelled;
    report.assets[1].outcome = outcome_kind::cancelled;
    return report;
  };
  done = troupe_cli({"show"});
  CHECK_FALSE(done.out.find("tried again") != std::string::npos);
  engine().report = [](run_number) { // its supervisor died while it waited
    auto report = test::some_run(run_status::interrupted);
    report.assets[1].status = asset_status::retrying;
    report.assets[1].outcome = outcome_kind::timed_out;
    return report;
  };
  CHECK(has(troupe_cli({"show"}).out, "not tried again, because the run was interrupted"));
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
