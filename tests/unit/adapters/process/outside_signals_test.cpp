// Signals that the executor did not send: those that end a command just before they reach us, and those that stop one.
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <vector>

using namespace troupe_internal;
using kind = process_exit::kind;

namespace {

/// Holds ends back for as long as the test takes, or not at all.
process_executor_options holding(bool ends) {
  process_executor_options options;
  options.own_end_grace = ends ? duration(std::chrono::hours(1)) : duration::zero();
  return options;
}

/// The signals by which a command was stopped.
class stops {
public:
  std::function<void(std::int32_t)> hear() {
    return [this](std::int32_t signal) {
      const std::lock_guard lock(mutex_);
      all_.push_back(signal);
      changed_.notify_all();
    };
  }
  std::int32_t wait(std::size_t number) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::minutes(1), [&] { return all_.size() > number; }));
    return all_[number];
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int32_t> all_;
};

} // namespace

TEST_CASE("a command that somebody else's SIGTERM ended counts as ended by us where that was meant for all") {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    process_runner runner(holding(true));
    const auto key = runner.start(
        runner.shell("ulimit -c 0; echo $$ > pid.new; mv pid.new pid; kill -" + std::to_string(signal) + " $$"));
    // It has died of that; and another's end comes through in the meantime.
    CHECK(runner
              .run_shell("until test -e pid; do sleep 0.01; done; p=$(cat pid); rm pid; while test -e /proc/$p && "
                         "! grep -q '^State:.*Z' /proc/$p/status; do sleep 0.01; done; exit 3")
              .exit_code == 3);
    CHECK_FALSE(runner.reported(key));
    runner.executor().end_all(0, urgency::graceful);
    const auto exit = runner.wait(key);
    CHECK(exit.how == kind::ended_by_us);
    CHECK(exit.signal == signal);
  }
}

TEST_CASE("so does one whose leavings are still being ended when all are") {
  process_runner runner(holding(true));
  const auto key = runner.start(runner.shell(
      "(trap '' TERM; echo > ready; sleep 0.3) & until test -e ready; do sleep 0.01; done; kill -TERM $$"));
  (void)runner.wait_line("ready");
  runner.executor().end_all(0, urgency::graceful);
  CHECK(runner.wait(key).how == kind::ended_by_us);
}

TEST_CASE("a shell tells of such an end by its exit status") {
  process_runner runner(holding(true));
  const auto key = runner.start(runner.shell("exit 143"));
  CHECK(runner.run_shell("exit 142").exit_code == 142); // SIGALRM: nobody ends all by that
  CHECK(runner.run_shell("kill -KILL $$").signal == SIGKILL);
  CHECK_FALSE(runner.reported(key));
  runner.stop();
  CHECK(runner.wait(key).how == kind::ended_by_us);
}

TEST_CASE("where nobody ends all, such an end is reported as it was, after a moment") {
  process_executor_options options;
  options.own_end_grace = std::chrono::milliseconds(30);
  process_runner runner(options);
  std::vector<process_key> keys;
  for (int i = 0; i < 20; ++i) // more than there are threads that wait
    keys.push_back(runner.start(runner.shell("kill -TERM $$")));
  for (const auto key : keys) {
    CHECK(runner.wait(key).how == kind::ended);
    CHECK(runner.wait(key).signal == SIGTERM);
  }
  CHECK(runner.run_shell("exit 130").exit_code == 130);
}

TEST_CASE("a command that we ended ourselves is reported at once") {
  process_runner runner(holding(true));
  const auto key = runner.start(runner.shell("echo > ready; sleep 100"));
  (void)runner.wait_line("ready");
  runner.executor().end(key, urgency::graceful);
  CHECK(runner.wait(key).how == kind::ended_by_us);
  auto slow = runner.shell("sleep 100");
  slow.timeout = std::chrono::milliseconds(10);
  CHECK(runner.run(std::move(slow)).how == kind::timed_out);
}

TEST_CASE("each stop of a command is told of, and its end is waited for all the same") {
  for (const bool many : {false, true}) {
    process_runner runner;
    std::vector<process_key> others;
    for (int i = 0; many && i < 16; ++i) // each has a thread that waits for it: none is left for what follows
      others.push_back(runner.start(runner.shell("sleep 100")));
    stops heard;
    auto request = runner.shell("kill -STOP $$; kill -TSTP $$; exit 5");
    request.stopped = heard.hear();
    const auto key = runner.start(std::move(request));
    const auto pid = runner.wait_spawned(key).process_group;
    CHECK(heard.wait(0) == SIGSTOP);
    kill(pid, SIGCONT);
    CHECK(heard.wait(1) == SIGTSTP);
    kill(pid, SIGCONT);
    CHECK(runner.wait(key).exit_code == 5);
  }
}

TEST_CASE("the timeout of a stopped command ends it, also where it would rather not") {
  process_runner runner;
  stops heard;
  auto request = runner.shell("trap 'kill -STOP $$' TERM; kill -STOP $$; sleep 100");
  request.stopped = heard.hear();
  request.timeout = std::chrono::milliseconds(100);
  request.grace = std::chrono::milliseconds(100);
  const auto exit = runner.run(std::move(request));
  CHECK(exit.how == kind::timed_out);
  CHECK(exit.signal == SIGKILL);
  CHECK(heard.wait(0) == SIGSTOP);
}
