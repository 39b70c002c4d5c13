// The executor's thread as a loop: work beside processes, many ends at a time, descriptors, and what a late loop must
// not do.
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <vector>

using namespace troupe;
using kind = process_exit::kind;

TEST_CASE_FIXTURE(process_runner,
                  "what is posted is done in order, on the thread of the reports, while processes run") {
  const auto key = start(shell("sleep 60"));
  std::promise<std::thread::id> reporter;
  executor().start(shell("exit 0"), {}, [&](process_exit) { reporter.set_value(std::this_thread::get_id()); });
  const auto thread = reporter.get_future().get();

  std::vector<int> done;
  std::vector<std::thread::id> by;
  std::promise<void> last;
  for (int i = 0; i < 300; ++i)
    executor().post([&, i] {
      done.push_back(i);
      by.push_back(std::this_thread::get_id());
      if (i == 299) // work may ask for more
        executor().post([&] {
          done.push_back(300);
          last.set_value();
        });
    });
  last.get_future().get();
  REQUIRE(done.size() == 301);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(std::all_of(by.begin(), by.end(), [&](auto id) { return id == thread; }));
  executor().end(key, urgency::at_once);
  CHECK(wait(key).how == kind::ended_by_us);
}

TEST_CASE_FIXTURE(process_runner, "work without end does not keep ends from being seen") {
  std::atomic<bool> enough{false};
  std::promise<void> over;
  std::function<void()> again = [&] {
    if (enough)
      over.set_value();
    else
      executor().post(again);
  };
  executor().post(again);
  CHECK(run_shell("exit 3").exit_code == 3);
  enough = true;
  over.get_future().get();
}

TEST_CASE_FIXTURE(process_runner, "a command that reads from its own output keeps nobody waiting for it") {
  auto r =
      shell("cat /proc/self/fd/1 >/dev/null & reader=$!; for i in 1 2 3 4 5 6 7 8; do echo $i; done; kill $reader; "
            "exit 4");
  CHECK(run(std::move(r)).exit_code == 4);
}

TEST_CASE_FIXTURE(process_runner, "few running commands hold three descriptors each, further ones two") {
  run_shell("exit 0"); // whatever is opened once
  const auto files = open_files();
  std::vector<process_key> keys;
  for (int i = 0; i < 70; ++i)
    keys.push_back(start(request({"/bin/sleep", "600"})));
  for (const auto key : keys)
    static_cast<void>(wait_spawned(key));
  CHECK(open_files() - files == 64 * 3 + 6 * 2);
  executor().end_all(urgency::at_once);
  for (const auto key : keys)
    CHECK(wait(key).how == kind::ended_by_us);
  CHECK(open_files() == files);
}

TEST_CASE_FIXTURE(process_runner, "output of commands beyond the few is read to its end too") {
  std::vector<process_key> keys;
  for (int i = 0; i < 70; ++i)
    keys.push_back(start(
        shell("while ! test -e go; do sleep 0.05; done; echo one; echo two >&2; exec >&- 2>&-; sleep 0.01; exit 5")));
  for (const auto key : keys)
    static_cast<void>(wait_spawned(key));
  folder.write("go", "");
  for (const auto key : keys) {
    CHECK(wait(key).exit_code == 5);
    CHECK(folder.read(std::to_string(key) + ".log") == "one\ntwo\n");
  }
}

TEST_CASE_FIXTURE(process_runner, "who ended in time is not timed out by a loop that is late") {
  std::vector<process_key> keys;
  for (int i = 0; i < 80; ++i) { // more than are heard of at a time
    auto r = request({"/bin/true"});
    r.timeout = std::chrono::seconds(2);
    keys.push_back(start(std::move(r)));
  }
  std::promise<void> held;
  executor().post([&] {
    std::this_thread::sleep_for(std::chrono::seconds(3)); // what no work may do
    held.set_value();
  });
  held.get_future().get();
  for (const auto key : keys)
    CHECK(wait(key).how == kind::ended);
}

TEST_CASE_FIXTURE(process_runner,
                  "what ignores its SIGTERM is killed by a loop that is late, though its leader has ended") {
  std::vector<process_key> keys;
  for (int i = 0; i < 80; ++i) { // more than are heard of at a time
    auto r = shell("(trap '' TERM; exec sleep 600) & trap 'exit 0' TERM; : > ready.$TROUPE_ASSET; wait");
    r.grace = std::chrono::seconds(1);
    keys.push_back(start(std::move(r)));
  }
  for (const auto key : keys)
    while (!folder.exists("ready.a" + std::to_string(key)))
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  executor().end_all(urgency::graceful);
  std::promise<void> held;
  executor().post([&] {
    std::this_thread::sleep_for(std::chrono::seconds(2)); // what no work may do
    held.set_value();
  });
  held.get_future().get();
  for (const auto key : keys)
    CHECK(wait(key).how == kind::ended_by_us);
}
