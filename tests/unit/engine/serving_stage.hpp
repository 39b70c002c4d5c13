// An engine that stays up in a folder of its own, for tests that close it and open it again.
#pragma once

#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "engine/serving_engine.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal::test {

using namespace std::chrono_literals;

/// Each asset waits for a file that the test writes.
inline constexpr const char* gated = R"x({"name": "p", "engine": {"workers": 8}, "assets": {
  "a": {"command": "echo a >> started; while ! test -e go; do sleep 0.01; done"},
  "b": {"command": "echo b >> started; while ! test -e go; do sleep 0.01; done"},
  "c": {"command": "echo c >> started; while ! test -e go; do sleep 0.01; done"},
  "d": {"command": "echo d >> started; while ! test -e go; do sleep 0.01; done"}}})x";

class serving_stage {
public:
  explicit serving_stage(const std::string& pipeline, std::uint32_t max_runs = 1) {
    folder.write("troupe.json", pipeline);
    how.folder = folder / "state";
    how.limits.max_runs = max_runs;
    how.look_again = 10ms;
    how.look_again_most = 20ms;
    how.reopen_after = 10ms;
    how.reopen_most = 20ms;
  }
  serving_engine& all() {
    if (!engine_) {
      auto opened = serving_engine::open(how, time, stop);
      REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
      engine_ = std::move(*opened);
    }
    return *engine_;
  }
  void close() { engine_.reset(); }
  run_ask ask(std::vector<std::string> selection, cause_kind cause = cause_kind::trigger, std::int32_t priority = 0) {
    run_ask made;
    made.file = folder / "troupe.json";
    made.selection = std::move(selection);
    made.force = true;
    made.cause.kind = cause;
    made.priority = priority;
    return made;
  }
  submitted_run submit(const run_ask& what) {
    const auto taken = all().submit(what);
    REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().message));
    return *taken;
  }
  run_status ended(run_number run) {
    const auto how_it_ended = all().wait(run);
    REQUIRE_MESSAGE(how_it_ended.has_value(), (how_it_ended ? "" : how_it_ended.error().message));
    return *how_it_ended;
  }
  /// Numbers of the queue, in order.
  std::vector<std::uint32_t> queued() {
    std::vector<std::uint32_t> numbers;
    for (const auto& one : all().queue())
      numbers.push_back(one.run.value);
    return numbers;
  }
  std::string reason(run_number run) {
    for (const auto& one : all().queue())
      if (one.run == run)
        return one.reason;
    return {};
  }
  /// As the journal has it, for who does not know the engine.
  run_status status(run_number run) {
    const auto runs = list_runs(folder / "state", 0);
    REQUIRE(runs.has_value());
    for (const auto& one : *runs)
      if (one.run == run)
        return one.status;
    FAIL("there is no such run");
    return run_status::failed;
  }
  static void until(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000 && !condition(); ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(condition());
  }
  void until_started(const std::string& what) {
    until([&] { return folder.read("started") == what; });
  }
  void check_journal() {
    close();
    const auto report = verify_journal(folder / "state");
    REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().message));
    for (const auto& problem : report->problems)
      CHECK_MESSAGE(false, problem);
  }

  temporary_folder folder;
  system_clock time;
  stop_request stop;
  serving_options how;

private:
  std::unique_ptr<serving_engine> engine_;
};

} // namespace troupe_internal::test
