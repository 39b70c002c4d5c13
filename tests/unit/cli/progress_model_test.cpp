// What is shown of a run, from the observer's calls.
#include "cli/progress_model.hpp"
#include "fake_engine.hpp"
#include "views/text.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace troupe_internal;
using namespace troupe_internal::cli;
using namespace std::chrono_literals;
using test::clean, test::n_a, test::n_b, test::raw, test::report, test::side;

namespace {

struct watched {
  explicit watched(bool every_asset = true)
      : model(*on.p, {.colours = {}, .unicode = false, .every_asset = every_asset}) {
    run_outline outline;
    outline.run = run_number(7U);
    outline.assets = 6;
    outline.fresh = 1;
    outline.workers = 2;
    outline.estimated = 10s;
    model.run_began(outline, 100s);
    header = model.take_lines();
  }
  project on = test::make_project();
  progress_model model;
  std::string header;
};

attempt_end ended(outcome_kind outcome, std::string_view message = "") {
  attempt_end end;
  end.attempt = 1;
  end.outcome = outcome;
  end.message = message;
  end.took = 1200ms;
  return end;
}

} // namespace

TEST_CASE("the first line tells what the run is about") {
  watched w;
  CHECK(w.header == "run #7 of demo: 6 assets, 1 fresh, 2 workers, about 10.0s\n");
}

TEST_CASE("each asset that ends is a line with its place in the run") {
  watched w;
  w.model.attempt_began(clean, 1, 0s, 100s);
  w.model.attempt_ended(clean, ended(outcome_kind::succeeded), 101s);
  w.model.asset_settled(clean, asset_status::succeeded, clean);
  auto same = ended(outcome_kind::succeeded);
  same.changed = false;
  w.model.attempt_began(report, 1, 0s, 101s);
  w.model.attempt_ended(report, same, 102s);
  w.model.asset_settled(report, asset_status::succeeded, report);
  w.model.asset_settled(n_a, asset_status::fresh, n_a);
  CHECK(w.model.take_lines() == "[1/5] clean  succeeded in 1.2s\n"
                                "[2/5] report  succeeded in 1.2s, unchanged\n"
                                "[3/5] n[a]  fresh after all: what it is made from did not change\n");
  CHECK(w.model.totals().started == 2);
  CHECK(w.model.totals().unchanged == 1);
  CHECK(w.model.totals().spared == 1);
}

TEST_CASE("the block counts from the start of the command") {
  progress_model model(*test::make_project().p, {.colours = {}, .unicode = false, .every_asset = false, .since = 95s});
  run_outline outline;
  outline.assets = 6;
  model.run_began(outline, 100s);
  CHECK(model.block(101s, {}).front().find("6.0s") != std::string::npos);
}

TEST_CASE("an asset that waits for its next attempt when the run stops has failed, not \"not started\"") {
  watched w;
  auto end = ended(outcome_kind::exited, "exit status 7");
  end.retry_in = 60s;
  w.model.attempt_began(clean, 1, 0s, 100s);
  w.model.attempt_ended(clean, end, 101s);
  end.attempt = 2;
  w.model.attempt_began(clean, 2, 0s, 161s);
  w.model.attempt_ended(clean, end, 162s);
  w.model.run_stopping(stop_cause::failure);
  static_cast<void>(w.model.take_lines());
  w.model.asset_settled(clean, asset_status::cancelled, clean);
  w.model.asset_settled(report, asset_status::cancelled, report);
  w.model.close();
  CHECK(w.model.take_lines() == "[1/5] clean  attempt 2 failed; not tried again, because the run stops\n"
                                "not started: report\n");
  CHECK(w.model.totals().given_up == 1);
}

TEST_CASE("failures, retries and what they block are told with their reasons") {
  watched w;
  w.model.attempt_began(clean, 1, 0s, 100s);
  auto first = ended(outcome_kind::exited, "exit status 75");
  first.retry_in = 2s;
  w.model.attempt_ended(clean, first, 101s);
  w.model.attempt_began(clean, 2, 0s, 103s);
  auto second = ended(outcome_kind::timed_out, "longer than 1s");
  second.attempt = 2;
  w.model.attempt_ended(clean, second, 104s);
  w.model.asset_settled(clean, asset_status::failed, clean);
  w.model.asset_settled(report, asset_status::blocked, clean);
  auto allowed = ended(outcome_kind::signalled, "signal 9");
  allowed.allowed_to_fail = true;
  w.model.attempt_began(side, 1, 0s, 104s);
  w.model.attempt_ended(side, allowed, 105s);
  w.model.asset_settled(side, asset_status::failed, side);
  w.model.asset_settled(n_a, asset_status::failed, n_a, "input \"a\" is not there");
  w.model.asset_settled(n_b, asset_status::cancelled, n_b);
  w.model.close();
  w.model.close();
  CHECK(w.model.take_lines() == "clean  attempt 1 failed: exit status 75; attempt 2 in 2.0s\n"
                                "[1/5] clean  timed out after 1.2s: longer than 1s\n"
                                "[2/5] report  blocked by clean\n"
                                "[3/5] side  failed after 1.2s: signal 9 (allowed to fail)\n"
                                "[4/5] n[a]  failed before it started: input \"a\" is not there\n"
                                "not started: n[b]\n");
}

TEST_CASE("an attempt ended because the run stops is cancelled, and is told once") {
  watched w;
  w.model.attempt_began(clean, 1, 0s, 100s);
  w.model.run_stopping(stop_cause::signal);
  w.model.attempt_ended(clean, ended(outcome_kind::cancelled), 101s);
  w.model.asset_settled(clean, asset_status::cancelled, clean);
  CHECK(w.model.take_lines() == "stopping: what runs is asked to end (a second time: it is killed)\n"
                                "[1/5] clean  cancelled after 1.2s\n");
  w.model.run_stopping(stop_cause::failure);
  w.model.run_stopping(stop_cause::user);
  CHECK(w.model.take_lines().find("cancelled") != std::string::npos);
}

TEST_CASE("after a failure it is told whether what runs may finish") {
  test::reset();
  const pipeline p;
  for (const auto strategy : {error_strategy::fail_fast, error_strategy::abort}) {
    progress_model model(p, {});
    run_outline outline;
    outline.error_strategy = strategy;
    model.run_began(outline, 0s);
    static_cast<void>(model.take_lines());
    model.run_stopping(stop_cause::failure);
    CHECK(model.take_lines() == (strategy == error_strategy::abort
                                     ? "stopping after a failure: what runs is ended\n"
                                     : "stopping after a failure: nothing more is started\n"));
  }
}

TEST_CASE("on a terminal only what needs attention is a line of its own") {
  watched w(false);
  CHECK(w.header.empty());
  w.model.attempt_began(clean, 1, 0s, 100s);
  w.model.attempt_ended(clean, ended(outcome_kind::succeeded), 101s);
  w.model.asset_settled(clean, asset_status::succeeded, clean);
  w.model.asset_settled(n_a, asset_status::fresh, n_a);
  w.model.asset_settled(n_b, asset_status::blocked, clean);
  CHECK_FALSE(w.model.has_lines());
  w.model.attempt_began(report, 1, 0s, 101s);
  w.model.attempt_ended(report, ended(outcome_kind::exited, "exit status 1"), 102s);
  CHECK(w.model.has_lines());
  CHECK(w.model.take_lines().find("exit status 1") != std::string::npos);
}

TEST_CASE("of thousands that are blocked only the first are listed") {
  test::reset();
  pipeline p;
  const auto count = 100U;
  progress_model model(p, {});
  run_outline outline;
  outline.assets = count;
  model.run_began(outline, 0s);
  static_cast<void>(model.take_lines());
  for (std::uint32_t i = 0; i < count; ++i)
    model.asset_settled(asset_index(i), asset_status::blocked, asset_index(0U));
  const auto text = model.take_lines();
  CHECK(std::count(text.begin(), text.end(), '\n') == 21);
  CHECK(text.find("not listed") != std::string::npos);
}

TEST_CASE("the block shows what runs and for how long, and fits the terminal") {
  watched w;
  w.model.attempt_began(clean, 1, 4s, 100s);
  w.model.attempt_began(side, 2, 0s, 101s);
  auto failed = ended(outcome_kind::exited, "exit status 1");
  failed.retry_in = 5s;
  w.model.attempt_ended(report, failed, 101s);
  const auto wide = w.model.block(102s, {80, 24});
  REQUIRE(wide.size() == 4);
  CHECK(wide[0] == "run #7  ...................  0/5  1 fresh  2.0s  about 8.0s left");
  CHECK(wide[1] == "  clean  2.0s of about 4.0s");
  CHECK(wide[2] == "  side  1.0s, attempt 2");
  CHECK(wide[3] == "  report  attempt 2 in 4.0s");
  for (int columns : {1, 2, 5, 10, 20, 39, 40, 41})
    for (int rows : {1, 2, 3, 4, 5, 24})
      for (const auto& line : w.model.block(102s, {columns, rows})) {
        CHECK(display_width(line) <= static_cast<std::size_t>(std::max(columns - 1, 1)));
        CHECK(w.model.block(102s, {columns, rows}).size() <= static_cast<std::size_t>(std::max(rows - 2, 1)));
      }
  const auto low = w.model.block(102s, {80, 5});
  REQUIRE(low.size() == 3);
  CHECK(low[2] == "  … and 2 more");
}

TEST_CASE("the headline counts failures and what was not run, and says when the run is stopping") {
  watched w;
  w.model.attempt_began(clean, 1, 0s, 100s);
  w.model.attempt_ended(clean, ended(outcome_kind::exited, "exit status 1"), 101s);
  w.model.asset_settled(clean, asset_status::failed, clean);
  w.model.asset_settled(report, asset_status::blocked, clean);
  w.model.run_stopping(stop_cause::failure);
  const auto line = w.model.block(103s, {120, 24}).front();
  CHECK(line.find("2/5  1 failed  1 not run  1 fresh  3.0s  stopping") != std::string::npos);
}

TEST_CASE("the estimate never promises an end before what runs now can end") {
  watched w;
  CHECK(w.model.remaining(103s) == 7s);
  w.model.attempt_began(clean, 1, 30s, 103s);
  CHECK(w.model.remaining(104s) == 29s);
  w.model.attempt_ended(clean, ended(outcome_kind::succeeded), 105s);
  w.model.asset_settled(clean, asset_status::succeeded, clean);
  w.model.asset_settled(report, asset_status::fresh, report);
  w.model.asset_settled(n_a, asset_status::fresh, n_a);
  w.model.asset_settled(n_b, asset_status::fresh, n_b);
  CHECK(w.model.remaining(105s) == 2s); // 1 of 5 is left
  CHECK(w.model.remaining(200s) == 0s);
  progress_model unknown(*w.on.p, {});
  unknown.run_began({.assets = 2}, 0s);
  CHECK_FALSE(unknown.remaining(1s).has_value());
}
