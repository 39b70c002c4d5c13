// The executor as a loop: work beside processes, many ends at a time, descriptors, and what a late loop must
// not do.
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

using namespace troupe_internal;
using kind = process_exit::kind;

namespace {
/// What it holds; a wait that takes a minute fails the test.
template <class T>
T soon(std::future<T> future) {
  REQUIRE(future.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
  return future.get();
}

/// Work that asks for itself again, without end until end().
class endless_work {
public:
  explicit endless_work(posix_process_executor& executor) : executor_(executor) {}
  void begin() {
    if (enough_)
      over_.set_value();
    else
      executor_.post([this] { begin(); });
  }
  void end() {
    enough_ = true;
    soon(over_.get_future());
  }

private:
  posix_process_executor& executor_;
  std::atomic<bool> enough_{false};
  std::promise<void> over_;
};
} // namespace

TEST_CASE_FIXTURE(process_runner, "what is posted is done in order and never beside a report, while processes run") {
  const auto key = start(shell("sleep 60"));
  std::atomic<int> at_once{0};
  std::atomic<int> most_at_once{0};
  const auto alone = [&](auto what) {
    most_at_once = std::max(most_at_once.load(), ++at_once);
    what();
    --at_once;
  };
  std::vector<std::promise<void>> reported(40);
  for (auto& one : reported)
    executor().start(request({"/bin/true"}), {}, [&](process_exit) {
      alone([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
      one.set_value();
    });
  std::vector<int> done;
  std::promise<void> last;
  for (int i = 0; i < 300; ++i)
    executor().post([&, i] {
      alone([&] { done.push_back(i); });
      if (i == 299) // work may ask for more
        executor().post([&] {
          alone([&] { done.push_back(300); });
          last.set_value();
        });
    });
  soon(last.get_future());
  for (auto& one : reported)
    soon(one.get_future());
  REQUIRE(done.size() == 301);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(most_at_once == 1);
  executor().end(key, urgency::at_once);
  CHECK(wait(key).how == kind::ended_by_us);
}

TEST_CASE_FIXTURE(process_runner, "what can wait is done in order, and after what was posted") {
  std::vector<int> done;
  std::promise<void> last_posted;
  std::promise<void> last;
  bool in_time = false; // nothing waited for longer than it can
  executor().post([&] {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i)
      executor().post_idle([&, i] {
        done.push_back(1000 + i);
        if (i == 99)
          last.set_value();
      });
    for (int i = 0; i < 100; ++i)
      executor().post([&, i, began] {
        done.push_back(i);
        if (i < 99)
          return;
        in_time = std::chrono::steady_clock::now() - began < std::chrono::milliseconds(2);
        last_posted.set_value();
      });
  });
  soon(last_posted.get_future());
  soon(last.get_future());
  std::vector<int> posted;
  std::vector<int> waited;
  for (const auto one : done)
    (one < 1000 ? posted : waited).push_back(one);
  CHECK(posted.size() == 100);
  CHECK(waited.size() == 100);
  CHECK(std::is_sorted(posted.begin(), posted.end()));
  CHECK(std::is_sorted(waited.begin(), waited.end()));
  if (in_time)
    CHECK(std::is_sorted(done.begin(), done.end()));
}

TEST_CASE_FIXTURE(process_runner, "what can wait is done while nothing happens") {
  const auto key = start(shell("sleep 60"));
  static_cast<void>(wait_spawned(key));
  std::promise<void> done;
  executor().post_idle([&] { done.set_value(); });
  soon(done.get_future());
  executor().end(key, urgency::at_once);
  CHECK(wait(key).how == kind::ended_by_us);
}

TEST_CASE_FIXTURE(process_runner, "what can wait is done, however much output and however many ends there are") {
  std::vector<process_key> floods;
  for (int i = 0; i < 30; ++i)
    floods.push_back(start(request({"/usr/bin/yes"})));
  for (const auto key : floods)
    static_cast<void>(wait_spawned(key));
  std::promise<void> last;
  int left = 200;
  std::function<void()> again = [&] {
    if (--left == 0)
      last.set_value();
    else
      executor().post_idle(again);
  };
  executor().post_idle(again);
  soon(last.get_future());
  executor().end_all(0, urgency::at_once);
  for (const auto key : floods)
    CHECK(wait(key).how == kind::ended_by_us);

  constexpr int chains = 40;
  std::atomic<bool> enough{false};
  std::promise<void> over;
  int ended = 0;
  const auto one = request({"/bin/true"});
  std::atomic<process_key> keys{1'000'000};
  std::function<void(process_exit)> next = [&](process_exit) {
    if (!enough) {
      auto r = one;
      r.key = ++keys;
      executor().start(std::move(r), {}, next);
    } else if (++ended == chains) {
      over.set_value();
    }
  };
  for (int i = 0; i < chains; ++i)
    next({});
  left = 20;
  last = {};
  auto done = last.get_future();
  executor().post_idle(again);
  soon(std::move(done));
  enough = true;
  soon(over.get_future());
}

TEST_CASE_FIXTURE(process_runner, "a chain of commands, each started by the end of the one before, ends") {
  // The thread that waited for the first starts the next and waits for it, and so on.
  std::promise<int> last;
  int left = 300;
  std::function<void(process_exit)> next = [&](process_exit exit) {
    if (exit.exit_code != 0 || --left == 0)
      last.set_value(left);
    else
      executor().start(request({"/bin/true"}), {}, next);
  };
  executor().start(request({"/bin/true"}), {}, next);
  CHECK(soon(last.get_future()) == 0);
}

TEST_CASE_FIXTURE(process_runner, "work without end, begun by an end, does not keep further ends from being seen") {
  endless_work work(executor());
  std::promise<int> second;
  executor().start(request({"/bin/true"}), {}, [&](process_exit) {
    work.begin();
    // By the same thread, which is to wait for it.
    executor().start(shell("exit 6"), {}, [&](process_exit exit) { second.set_value(exit.exit_code); });
  });
  CHECK(soon(second.get_future()) == 6);
  work.end();
}

TEST_CASE_FIXTURE(process_runner, "a timeout that is due sooner than any before is kept, whoever started the command") {
  const auto late = start(shell("sleep 60"));
  std::promise<kind> how;
  executor().start(request({"/bin/true"}), {}, [&](process_exit) {
    auto r = shell("exec sleep 1.8"); // the loop's own thread sleeps 2 s if nobody wakes it
    r.timeout = std::chrono::milliseconds(50);
    executor().start(std::move(r), {}, [&](process_exit exit) { how.set_value(exit.how); });
  });
  CHECK(soon(how.get_future()) == kind::timed_out);
  executor().end(late, urgency::at_once);
  CHECK(wait(late).how == kind::ended_by_us);
}

TEST_CASE_FIXTURE(process_runner, "work without end does not keep ends from being seen") {
  endless_work work(executor());
  work.begin();
  CHECK(run_shell("exit 3").exit_code == 3);
  work.end();
}

TEST_CASE_FIXTURE(process_runner, "a command that reads from its own output keeps nobody waiting for it") {
  auto r =
      shell("cat /proc/self/fd/1 >/dev/null & reader=$!; for i in 1 2 3 4 5 6 7 8; do echo $i; done; kill $reader; "
            "exit 4");
  CHECK(run(std::move(r)).exit_code == 4);
}

TEST_CASE_FIXTURE(process_runner,
                  "running commands hold two descriptors each, and a third if no thread waits for them or few do") {
  run_shell("exit 0"); // whatever is opened once
  const auto files = open_files();
  std::vector<process_key> keys;
  for (int i = 0; i < 70; ++i)
    keys.push_back(start(request({"/bin/sleep", "600"})));
  for (const auto key : keys)
    static_cast<void>(wait_spawned(key));
  CHECK(open_files() - files == 16 * 2 + 48 * 3 + 6 * 2);
  executor().end_all(0, urgency::at_once);
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
  soon(held.get_future());
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
  executor().end_all(0, urgency::graceful);
  std::promise<void> held;
  executor().post([&] {
    std::this_thread::sleep_for(std::chrono::seconds(2)); // what no work may do
    held.set_value();
  });
  soon(held.get_future());
  for (const auto key : keys)
    CHECK(wait(key).how == kind::ended_by_us);
}
