// What commands leave behind when they end: nothing of it outlives the report, however it hid.
#include "support/process_runner.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>

#include <csignal>
#include <thread>

using namespace troupe_internal;
using kind = process_exit::kind;

namespace {

pid_t pid_in(process_runner& runner, const std::string& file) {
  return static_cast<pid_t>(std::stol(runner.wait_line(file)));
}

/// A shell that ignores SIGTERM and writes its pid into a file; it never ends by itself.
std::string stubborn(const std::string& file) {
  return "sh -c \"trap '' TERM; echo \\$\\$ > " + file + "; while :; do sleep 0.05; done\"";
}

} // namespace

TEST_CASE_FIXTURE(process_runner, "a background process that holds the log open does not hold up the report") {
  const auto exit = run_shell("sleep 1000 & echo $! > pid; echo done");
  CHECK(exit.how == kind::ended);
  CHECK(exit.exit_code == 0);
  CHECK(log() == "done\n");
  CHECK_FALSE(alive(pid_in(*this, "pid")));
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "what a command leaves in its group may end in its own way") {
  const auto exit =
      run_shell("sh -c \"trap 'echo cleaned > cleaned; exit' TERM; echo > ready; while :; do sleep 0.01; done\" &\n"
                "until [ -s ready ]; do sleep 0.01; done; exit 5");
  CHECK(exit.how == kind::ended);
  CHECK(exit.exit_code == 5);
  CHECK(folder.read("cleaned") == "cleaned\n");
}

TEST_CASE_FIXTURE(process_runner, "what a command leaves and ignores SIGTERM is killed soon") {
  const auto exit = run_shell(stubborn("pid") + " & until [ -s pid ]; do sleep 0.01; done");
  CHECK(exit.how == kind::ended);
  CHECK_FALSE(alive(pid_in(*this, "pid")));
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "a daemon that left group and session is ended with its command") {
  const auto exit = run_shell(
      "setsid -f sh -c 'setsid -f sh -c \"echo \\$\\$ > pid; exec sleep 1000 < /dev/null > /dev/null 2>&1\"'\n"
      "until [ -s pid ]; do sleep 0.01; done; echo out");
  CHECK(exit.how == kind::ended);
  CHECK(exit.exit_code == 0);
  CHECK(log() == "out\n");
  CHECK_FALSE(alive(pid_in(*this, "pid")));
}

TEST_CASE_FIXTURE(process_runner, "a stubborn daemon with stubborn children is killed with all of them") {
  const auto exit = run_shell(
      "setsid -f sh -c \"trap '' TERM; echo \\$\\$ > daemon; " +
      std::string("setsid sh -c 'trap \\\"\\\" TERM; echo \\$\\$ > child; while :; do sleep 0.05; done'\"\n") +
      "until [ -s child ] && [ -s daemon ]; do sleep 0.01; done");
  CHECK(exit.how == kind::ended);
  CHECK_FALSE(alive(pid_in(*this, "daemon")));
  CHECK_FALSE(alive(pid_in(*this, "child")));
  CHECK(children_of_this_process() == 0);
}

TEST_CASE_FIXTURE(process_runner, "a daemon that cleared its environment too is ended when it can only be ours") {
  const auto exit = run_shell("setsid -f env -i sh -c 'echo $$ > pid; exec sleep 1000'\n"
                              "until [ -s pid ]; do sleep 0.01; done");
  CHECK(exit.how == kind::ended);
  CHECK_FALSE(alive(pid_in(*this, "pid")));
}

TEST_CASE_FIXTURE(process_runner,
                  "a daemon without environment that two commands could have started goes with the last") {
  const auto other = start(shell("echo > other_runs; until [ -s end_other ]; do sleep 0.01; done"));
  (void)wait_line("other_runs");
  const auto exit = run_shell("setsid -f env -i sh -c 'echo $$ > pid; exec sleep 1000'\n"
                              "until [ -s pid ]; do sleep 0.01; done");
  CHECK(exit.how == kind::ended);
  const auto pid = pid_in(*this, "pid");
  CHECK(alive(pid));
  folder.write("end_other", "now\n");
  CHECK(wait(other).exit_code == 0);
  CHECK_FALSE(alive(pid));
}

TEST_CASE_FIXTURE(process_runner, "another command's daemon is left to it") {
  const auto other = start(shell("setsid -f sh -c 'echo $$ > pid; exec sleep 1000'\n"
                                 "until [ -s end_other ]; do sleep 0.01; done"));
  const auto pid = pid_in(*this, "pid");
  CHECK(run_shell("sleep 1000 & exit 0").exit_code == 0);
  CHECK(alive(pid));
  folder.write("end_other", "now\n");
  CHECK(wait(other).exit_code == 0);
  CHECK_FALSE(alive(pid));
}

TEST_CASE_FIXTURE(process_runner, "a command that closes its output and lives on is waited for") {
  const auto key =
      start(shell("echo out; exec > /dev/null 2>&1; echo > closed; until [ -s go ]; do sleep 0.01; done; exit 9"));
  (void)wait_line("closed");
  std::this_thread::sleep_for(std::chrono::milliseconds(50)); // time for a wrong report to appear
  CHECK_FALSE(reported(key));
  folder.write("go", "now\n");
  CHECK(wait(key).exit_code == 9);
  CHECK(log(key) == "out\n");
}

TEST_CASE_FIXTURE(process_runner, "asked to end, all of a command's group has the whole grace") {
  auto r = shell("sh -c \"trap 'sleep 0.3; echo cleaned > cleaned; exit' TERM; echo > ready; while :; do sleep 0.01; "
                 "done\" & wait");
  r.grace = std::chrono::minutes(1);
  const auto key = start(std::move(r));
  (void)wait_line("ready");
  executor().end(key, urgency::graceful);
  const auto exit = wait(key); // the leader dies at once, its child does not
  CHECK(exit.how == kind::ended_by_us);
  CHECK(exit.signal == SIGTERM);
  CHECK(folder.read("cleaned") == "cleaned\n");
}

TEST_CASE_FIXTURE(process_runner, "ended at once, nothing of a command is left") {
  const auto key = start(shell(stubborn("one") + " & setsid -f " + stubborn("two") + "; wait"));
  const auto one = pid_in(*this, "one");
  const auto two = pid_in(*this, "two");
  executor().end(key, urgency::at_once);
  CHECK(wait(key).signal == SIGKILL);
  CHECK_FALSE(alive(one));
  CHECK_FALSE(alive(two));
}

TEST_CASE_FIXTURE(process_runner, "the end of leftovers can be hurried") {
  auto r = shell(stubborn("pid") + " & until [ -s pid ]; do sleep 0.01; done");
  r.timeout = std::chrono::hours(1);
  const auto key = start(std::move(r));
  const auto pid = pid_in(*this, "pid");
  executor().end(key, urgency::graceful);
  CHECK(eventually([&] { return !alive(wait_spawned(key).process_group); }));
  executor().end(key, urgency::at_once);
  wait(key);
  CHECK_FALSE(alive(pid));
}

TEST_CASE_FIXTURE(process_runner, "daemons that end while their command runs leave no zombie") {
  const auto key =
      start(shell("for i in 1 2 3 4 5; do setsid -f true; done; echo > ready; until [ -s go ]; do sleep 0.01; done"));
  (void)wait_line("ready");
  CHECK(eventually([] { return children_of_this_process() == 1; }));
  folder.write("go", "now\n");
  wait(key);
  CHECK(children_of_this_process() == 0);
}

TEST_CASE("in a host with children of its own, those and their descendants are left alone") {
  process_executor_options options;
  options.owns_every_orphan = false;
  process_runner runner(options);
  const auto host_child = fork();
  if (host_child == 0) {
    execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr));
    _exit(127);
  }
  REQUIRE(host_child > 0);
  const auto zombie = fork();
  if (zombie == 0)
    _exit(42);
  CHECK(runner
            .run_shell("setsid -f sh -c 'echo $$ > known; exec sleep 1000'\n"
                       "setsid -f env -i sh -c 'echo $$ > unknown; exec sleep 1000'\n"
                       "until [ -s known ] && [ -s unknown ]; do sleep 0.01; done; sleep 1000 &")
            .exit_code == 0);
  CHECK_FALSE(alive(pid_in(runner, "known")));
  const auto unknown = pid_in(runner, "unknown"); // not ours to judge in such a host
  CHECK(alive(unknown));
  kill(unknown, SIGKILL);
  CHECK(waitpid(unknown, nullptr, 0) == unknown);
  CHECK(alive(host_child));
  int status = 0;
  CHECK(waitpid(zombie, &status, 0) == zombie);
  CHECK(WEXITSTATUS(status) == 42);
  kill(host_child, SIGKILL);
  waitpid(host_child, nullptr, 0);
}

TEST_CASE("children from before the executor are left alone") {
  const auto before = fork();
  if (before == 0) {
    execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr));
    _exit(127);
  }
  {
    process_runner runner;
    CHECK(runner.run_shell("sleep 1000 & exit 0").exit_code == 0);
  }
  CHECK(alive(before));
  kill(before, SIGKILL);
  waitpid(before, nullptr, 0);
}

TEST_CASE_FIXTURE(process_runner,
                  "a command that deletes its working folder is no trouble, the next one says what is missing") {
  folder.write("work/file", "x");
  auto r = shell("rm -rf \"$PWD\"; echo gone");
  r.cwd = folder / "work";
  log_at(r, folder / "work/logs/x.log");
  const auto exit = run(std::move(r));
  CHECK(exit.exit_code == 0);
  CHECK(exit.has_log);
  CHECK(folder.read("work/logs/x.log") == "gone\n"); // made anew for the log
  std::filesystem::remove_all(folder / "work");
  auto next = request({"true"});
  next.cwd = folder / "work";
  CHECK(run(std::move(next)).how == kind::not_started);
}
