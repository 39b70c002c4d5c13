// Several runs that live in one engine: their order on one asset, their ends, what they leave.
#include "engine/engine.hpp"

#include "adapters/journal/lmdb_journal_check.hpp"
#include "adapters/journal/lmdb_journal_store.hpp"
#include "engine/run_history.hpp"
#include "support/process_holdings.hpp"
#include "support/recording_observer.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

/// An engine on a folder with pipelines; commands wait for files of the folder, so that a test decides their order.
class stage {
public:
  explicit stage(const std::string& pipeline) { folder.write("troupe.json", pipeline); }

  project open(const std::string& file = "troupe.json") {
    project_options where;
    where.file = folder / file;
    where.state = folder / "state";
    diagnostics findings;
    auto on = open_project(where, findings);
    REQUIRE(on.has_value());
    return *on;
  }
  engine& all() {
    if (!engine_) {
      engine_options how;
      how.folder = folder / "state";
      how.history = history;
      auto opened = engine::open(how, time, stop);
      REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
      engine_ = std::move(*opened);
    }
    return *engine_;
  }
  void close() { engine_.reset(); }

  /// Waits until the condition holds.
  static void until(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000 && !condition(); ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(condition());
  }
  void check_journal() {
    close();
    const auto checked = check_journal_file();
    CHECK_MESSAGE(checked.empty(), checked);
  }

  temporary_folder folder;
  system_clock time;
  stop_request stop;
  std::optional<history_bounds> history;

private:
  std::string check_journal_file() {
    std::string problems;
    const auto report = verify_journal(folder / "state");
    if (!report)
      return report.error().message;
    for (const auto& one : report->problems)
      problems += one + "\n";
    // At most one attempt of an asset is open in the whole state, and no more than there are workers.
    const auto snapshot = open_snapshot(folder / "state");
    if (!snapshot)
      return snapshot.error().message;
    std::set<std::uint32_t> open;
    constexpr std::size_t workers = 4; // of all pipelines here
    const auto visited = (*snapshot)->visit_events(0, [&](std::uint64_t seq, const event& e) {
      if (const auto* began = std::get_if<attempt_started>(&e);
          began != nullptr && !open.insert(began->asset.value).second)
        problems += "event " + std::to_string(seq) + ": a second attempt of an asset is open\n";
      if (open.size() > workers)
        problems += "event " + std::to_string(seq) + ": more attempts are open than there are workers\n";
      if (const auto* ended = std::get_if<attempt_finished>(&e))
        open.erase(ended->asset.value);
      return true;
    });
    if (!visited)
      return visited.error().message;
    return problems;
  }
  std::unique_ptr<engine> engine_;
};

/// A run that was submitted, with who watches it.
struct watched_run {
  watched_run(stage& on, const project& p, const run_options& options) : observer(*p.p) {
    const auto began = on.all().submit(p, options, observer);
    REQUIRE_MESSAGE(began.has_value(), (began ? "" : began.error().message));
    number = *began;
  }
  test::recording_observer observer;
  run_number number;
};

run_options of(std::vector<std::string> selection) {
  run_options options;
  options.selection = std::move(selection);
  return options;
}

/// The report of one asset of a run.
asset_run_report in_run(const run_report& report, std::string_view asset) {
  for (const auto& one : report.assets)
    if (one.name == asset)
      return one;
  return {};
}

run_report report_of(stage& on, run_number run) {
  auto report = read_run_report(on.folder / "state", run, report_detail::every_attempt);
  REQUIRE_MESSAGE(report.has_value(), (report ? "" : report.error().message));
  return std::move(*report);
}

constexpr const char* waits = R"x({"name": "p", "engine": {"workers": 4}, "assets": {
  "slow": {"command": "echo slow >> started; while ! test -e go; do sleep 0.01; done; echo slow > slow.txt", "outputs": ["slow.txt"]},
  "after": {"command": "cat slow.txt > after.txt", "inputs": ["slow.txt"], "outputs": ["after.txt"]},
  "else": {"command": "echo else > else.txt", "outputs": ["else.txt"]},
  "bad": {"command": "exit 3", "outputs": ["bad.txt"]}}})x";

} // namespace

TEST_CASE("a later run waits for an earlier one's asset, and then finds it fresh") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"after"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  const watched_run second(on, p, of({"after"}));
  const watched_run third(on, p, of({"else"}));
  CHECK(on.all().wait(third.number)->status == run_status::succeeded); // nothing keeps it
  CHECK(!second.observer.saw("slow fresh"));
  CHECK(on.all().live().size() == 2);
  on.folder.write("go", "");
  const auto one = on.all().wait(first.number);
  const auto two = on.all().wait(second.number);
  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  CHECK(one->counts[static_cast<std::size_t>(asset_status::succeeded)] == 2);
  CHECK(two->counts[static_cast<std::size_t>(asset_status::fresh)] == 2);
  CHECK(on.folder.read("started") == "slow\n"); // it ran once
  CHECK(on.all().live().empty());
  const auto held = in_run(report_of(on, second.number), "slow").waits;
  REQUIRE(!held.empty());
  CHECK(held.front().what == wait_kind::hold);
  CHECK(held.front().name == "#" + std::to_string(first.number.value));
  on.check_journal();
}

TEST_CASE("each of two live runs has the definitions of its own pipeline file") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"after"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  std::string edited = waits;
  edited.replace(edited.find("cat slow.txt"), 12, "sort slow.txt");
  on.folder.write("troupe.json", edited);
  const auto q = on.open();
  const watched_run second(on, q, of({"after"}));
  on.folder.write("go", "");
  CHECK(on.all().wait(first.number)->status == run_status::succeeded);
  CHECK(on.all().wait(second.number)->status == run_status::succeeded);
  const watched_run third(on, q, of({"after"}));
  CHECK(on.all().wait(third.number)->status == run_status::succeeded);
  const auto command_in = [&](run_number run) {
    const auto report = report_of(on, run);
    const auto of_asset = in_run(report, "after").definition;
    REQUIRE(of_asset.has_value());
    return report.definitions.at(*of_asset).command.at(0);
  };
  CHECK(command_in(first.number) == "cat slow.txt > after.txt");
  CHECK(command_in(second.number) == "sort slow.txt > after.txt");
  CHECK(command_in(third.number) == "sort slow.txt > after.txt");
  const auto reasons = in_run(report_of(on, second.number), "after").reasons;
  REQUIRE(!reasons.empty());
  CHECK(reasons.front().kind == reason_kind::command_changed);
  REQUIRE(reasons.front().change != nullptr);
  CHECK(reasons.front().change->was == "cat slow.txt > after.txt");
  on.check_journal();
}

TEST_CASE("an engine that is given bounds lets go of history that its pipelines would keep") {
  stage on(waits);
  on.history = history_bounds{duration::zero(), std::uint64_t{1} << 30U};
  const auto p = on.open();
  run_options again = of({"else"});
  again.force = true;
  run_number last;
  for (int i = 0; i < 3; ++i) {
    const watched_run run(on, p, again);
    CHECK(on.all().wait(run.number)->status == run_status::succeeded);
    last = run.number;
  }
  const auto kept = list_runs(on.folder / "state", 0);
  REQUIRE(kept.has_value());
  REQUIRE(kept->size() == 1); // those that had ended when it began are gone
  CHECK(kept->front().run == last);
  on.check_journal();
}

TEST_CASE("the later run makes its own attempt where the earlier one was cancelled") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"slow"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  const watched_run second(on, p, of({"after"}));
  CHECK(on.all().stop(first.number, stop_cause::user, true));
  CHECK(on.all().wait(first.number)->status == run_status::cancelled);
  CHECK(!on.all().stop(first.number, stop_cause::user, true)); // it is over
  on.folder.write("go", "");
  CHECK(on.all().wait(second.number)->status == run_status::succeeded);
  CHECK(on.folder.read("started") == "slow\nslow\n");
  on.check_journal();
}

TEST_CASE("what an earlier run leaves of an asset outside the run is judged when that one is settled") {
  stage on(R"x({"name": "p", "engine": {"workers": 4}, "assets": {
    "part": {"command": "echo part >> started; while ! test -e go; do sleep 0.01; done; echo half > part.txt; test -e well", "outputs": ["part.txt"]},
    "whole": {"command": "cat part.txt > whole.txt", "inputs": ["part.txt"], "outputs": ["whole.txt"]}}})x");
  const auto p = on.open();
  auto alone = of({"whole"});
  alone.only = true;
  SUBCASE("it was never made, and the earlier run makes it: the run goes on") {
    on.folder.write("well", "");
    const watched_run first(on, p, of({"part"}));
    stage::until([&] { return !on.folder.read("started").empty(); });
    const watched_run second(on, p, alone);
    on.folder.write("go", "");
    CHECK(on.all().wait(first.number)->status == run_status::succeeded);
    CHECK(on.all().wait(second.number)->status == run_status::succeeded);
    CHECK(on.folder.read("whole.txt") == "half\n");
  }
  SUBCASE("it was made, and the earlier run fails to make it again: the run is blocked") {
    on.folder.write("well", "");
    on.folder.write("go", "");
    const watched_run before(on, p, of({}));
    CHECK(on.all().wait(before.number)->status == run_status::succeeded);
    CHECK(std::filesystem::remove(on.folder / "go"));
    CHECK(std::filesystem::remove(on.folder / "well"));
    on.folder.write("started", "");
    auto again = of({"part"});
    again.force = true;
    const watched_run first(on, p, again);
    stage::until([&] { return !on.folder.read("started").empty(); });
    alone.force = true;
    const watched_run second(on, p, alone);
    on.folder.write("go", "");
    CHECK(on.all().wait(first.number)->status == run_status::failed);
    const auto blocked = on.all().wait(second.number);
    REQUIRE(blocked.has_value());
    CHECK(blocked->counts[static_cast<std::size_t>(asset_status::blocked)] == 1);
  }
  on.check_journal();
}

TEST_CASE("an asset that was fresh when a run was planned is judged anew where an earlier run makes what it needs") {
  stage on(R"x({"name": "p", "engine": {"workers": 4}, "assets": {
    "a": {"command": "cat in.txt > a.txt; test -e hold && while ! test -e go; do sleep 0.01; done; true", "inputs": ["in.txt"], "outputs": ["a.txt"]},
    "b": {"command": "cat a.txt > b.txt", "inputs": ["a.txt"], "outputs": ["b.txt"]}}})x");
  on.folder.write("in.txt", "1");
  const auto p = on.open();
  CHECK(on.all().wait(watched_run(on, p, of({})).number)->status == run_status::succeeded);
  on.folder.write("hold", "");
  on.folder.write("in.txt", "2");
  const watched_run first(on, p, of({"a"}));
  stage::until([&] { return first.observer.saw("a attempt 1"); });
  // The file is written already; the plan of this run could take what lies there for what b was made from.
  run_options only_b = of({"b"});
  only_b.only = true;
  const watched_run second(on, p, only_b);
  on.folder.write("go", "");
  CHECK(on.all().wait(first.number)->status == run_status::succeeded);
  CHECK(on.all().wait(second.number)->status == run_status::succeeded);
  CHECK(on.folder.read("b.txt") == "2");
  run_options again = of({});
  const auto last = on.all().wait(watched_run(on, p, again).number);
  CHECK(last->counts[static_cast<std::size_t>(asset_status::fresh)] == 2);
  on.check_journal();
}

TEST_CASE("a run that fails, and one that is stopped, end no other") {
  stage on(waits);
  const auto p = on.open();
  const watched_run living(on, p, of({"slow"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  CHECK(on.all().wait(watched_run(on, p, of({"bad"})).number)->status == run_status::failed);
  on.folder.write("go", "");
  CHECK(on.all().wait(living.number)->status == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("of those that resume one run at the same time, one does, and the others are told that it lives") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"bad"}));
  CHECK(on.all().wait(first.number)->status == run_status::failed);
  constexpr std::size_t many = 8;
  std::vector<std::string> answers(many);
  std::vector<std::unique_ptr<test::recording_observer>> observers;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < many; ++i)
    observers.push_back(std::make_unique<test::recording_observer>(*p.p));
  for (std::size_t i = 0; i < many; ++i)
    threads.emplace_back([&, i] {
      const auto resumed = on.all().resume(p, first.number, *observers[i]);
      answers[i] = resumed ? "" : resumed.error().message;
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(std::count(answers.begin(), answers.end(), "") == 1);
  CHECK(std::count(answers.begin(), answers.end(), "run #1 lives: there is nothing to resume") == many - 1);
  CHECK(on.all().wait(first.number)->status == run_status::failed);
  on.check_journal();
}

TEST_CASE("pipelines share a state and its engine; their ids are all different") {
  stage on(waits);
  on.folder.write("q.json", R"x({"name": "q", "engine": {"workers": 4}, "assets": {
    "one": {"command": "echo 1 > one.txt", "outputs": ["one.txt"]},
    "two": {"command": "cat one.txt > two.txt", "inputs": ["one.txt"], "outputs": ["two.txt"]}}})x");
  const auto p = on.open();
  const auto q = on.open("q.json");
  const watched_run first(on, p, of({"after"}));
  const watched_run second(on, q, of({}));
  CHECK(on.all().wait(second.number)->status == run_status::succeeded);
  const watched_run third(on, p, of({"else"}));
  CHECK(on.all().wait(third.number)->status == run_status::succeeded);
  on.folder.write("go", "");
  CHECK(on.all().wait(first.number)->status == run_status::succeeded);
  on.check_journal();
  // A new engine knows all of it.
  const watched_run again(on, q, of({}));
  CHECK(on.all().wait(again.number)->counts[static_cast<std::size_t>(asset_status::fresh)] == 2);
}

TEST_CASE("a pipeline that makes what another living one makes is refused, and the other goes on") {
  stage on(waits);
  on.folder.write("q.json", R"x({"name": "q", "engine": {"workers": 4}, "assets": {
    "one": {"command": "echo 1 > ./slow.txt", "outputs": ["./slow.txt"]}}})x");
  const auto p = on.open();
  const auto q = on.open("q.json");
  const watched_run first(on, p, of({"slow"}));
  test::recording_observer observer(*q.p);
  const auto refused = on.all().submit(q, of({}), observer);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == error_code::invalid_input);
  CHECK(refused.error().message.find("asset one and asset slow") != std::string::npos);
  on.folder.write("go", "");
  CHECK(on.all().wait(first.number)->status == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("another file with the name of a living pipeline is refused") {
  stage on(waits);
  on.folder.write("copy/troupe.json", waits);
  const auto p = on.open();
  const auto copy = on.open("copy/troupe.json");
  const watched_run first(on, p, of({"slow"}));
  test::recording_observer observer(*copy.p);
  const auto refused = on.all().submit(copy, of({"else"}), observer);
  REQUIRE(refused.has_error());
  CHECK(refused.error().message.find("two files have a pipeline \"p\": copy/troupe.json and troupe.json (run #1") == 0);
  on.folder.write("go", "");
  CHECK(on.all().wait(first.number)->status == run_status::succeeded);
  on.check_journal();
}

TEST_CASE("a run that begins while the only other one ends is not left without a share") {
  stage on(waits);
  const auto p = on.open();
  for (int i = 0; i < 60; ++i) {
    auto options = of({"else"});
    options.force = true;
    const watched_run first(on, p, options);
    if (i % 2 == 0)
      on.all().stop(first.number, stop_cause::user, true);
    const watched_run second(on, p, options);
    REQUIRE(on.all().wait(first.number).has_value());
    REQUIRE(on.all().wait(second.number)->status == run_status::succeeded);
  }
  on.check_journal();
}

TEST_CASE("a request to stop ends all runs, also those that come later") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"slow"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  on.stop.request(0);
  CHECK(on.all().wait(first.number)->status == run_status::cancelled);
  on.check_journal();
}

TEST_CASE("an engine that goes away ends the runs that nobody waits for") {
  stage on(waits);
  const auto p = on.open();
  const watched_run first(on, p, of({"slow"}));
  stage::until([&] { return !on.folder.read("started").empty(); });
  on.check_journal();
  CHECK(first.observer.saw("slow cancelled"));
}

TEST_CASE("many small runs in one engine, eight at a time, leave nothing behind") {
  std::string text = R"x({"name": "p", "engine": {"workers": 4, "keep_runs": 20}, "assets": {)x";
  for (int i = 0; i < 8; ++i)
    text += (i == 0 ? "" : ", ") + std::string("\"a") + std::to_string(i) + R"x(": {"command": ["true"]}, "b)x" +
            std::to_string(i) + R"x(": {"command": ["true"], "deps": ["a)x" + std::to_string(i) + "\"]}";
  stage on(text + "}}");
  const auto p = on.open();
  constexpr int rounds = 40;
  constexpr int warm_after = 15;
  test::process_holdings before;
  for (int round = 0; round < rounds; ++round) {
    if (round == warm_after)
      before = test::process_holdings::now();
    std::vector<std::unique_ptr<watched_run>> runs;
    for (int i = 0; i < 8; ++i) {
      auto options = of({"+b" + std::to_string((round + i) % 8), "+b" + std::to_string(i / 2)});
      options.force = true;
      runs.push_back(std::make_unique<watched_run>(on, p, options));
    }
    for (const auto& run : runs)
      REQUIRE(on.all().wait(run->number)->status == run_status::succeeded);
  }
  const auto after = test::process_holdings::now();
  CHECK(after.descriptor_count == before.descriptor_count);
  constexpr std::size_t waiters =
      16; // threads that wait for ends of commands are made as they are needed, up to a number
  CHECK(after.threads <= before.threads + waiters);
  CHECK(after.children == 0);
  MESSAGE("allocated: ", before.bytes, " bytes, ", (rounds - warm_after) * 8, " runs later: ", after.bytes);
  on.check_journal();
}
