// What nobody answers for any more is ended with the watch; a wake is heard.
#include "adapters/process/orphan_watch.hpp"
#include "adapters/system/event_wake.hpp"
#include "support/processes.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

using namespace troupe_internal;

namespace {

/// A process whose parent has died, so that it is adopted here; it leaves its group, and its session unless it is to
/// stay, and keeps no environment; all that by the time this returns.
pid_t start_adopted(bool own_session = true) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe2(pipe_ends.data(), O_CLOEXEC) == 0);
  const auto middle = fork();
  if (middle == 0) {
    if (const auto pid = fork(); pid != 0)
      _exit(write(pipe_ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
    if (own_session)
      setsid();
    else
      setpgid(0, 0);
    char* const argv[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"), nullptr};
    char* const environment[] = {nullptr};
    execve("/bin/sleep", argv, environment);
    _exit(127);
  }
  pid_t pid = 0;
  close(pipe_ends[1]);
  REQUIRE(read(pipe_ends[0], &pid, sizeof pid) == sizeof pid);
  REQUIRE(waitpid(middle, nullptr, 0) == middle);
  char more = 0;
  CHECK(read(pipe_ends[0], &more, 1) == 0); // its end is closed by its exec
  close(pipe_ends[0]);
  return pid;
}

} // namespace

TEST_CASE("what no attempt answers for any more is ended when there is none left") {
  orphan_watch watch(true);
  const auto pid = start_adopted();
  REQUIRE(eventually([&] { return children_of_this_process() == 1; }));
  CHECK(watch.look({}).empty()); // nobody's
  CHECK(alive(pid));
  watch.end_the_rest();
  CHECK_FALSE(alive(pid));
  CHECK(children_of_this_process() == 0);
}

TEST_CASE("in a host with children of its own nothing is ended that is not known to be an attempt's") {
  orphan_watch watch(false);
  const auto pid = start_adopted();
  REQUIRE(eventually([&] { return children_of_this_process() == 1; }));
  watch.end_the_rest();
  CHECK(alive(pid));
  kill(pid, SIGKILL);
  CHECK(waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("process 1 leaves alone what may have been brought into its namespace by others, and reaps it") {
  orphan_watch watch(true, true);
  const auto pid = start_adopted(); // in a session of its own, without an environment: nothing says whose it is
  REQUIRE(eventually([&] { return children_of_this_process() == 1; }));
  const attempt_mark at_work{1, pid - 1, 0, {}};
  CHECK(watch.look({&at_work, 1}).empty()); // not the only attempt's, as it would be elsewhere
  watch.end_the_rest();
  CHECK(alive(pid));
  kill(pid, SIGKILL);
  CHECK(eventually([&] {
    static_cast<void>(watch.look({}));
    return children_of_this_process() == 0;
  }));
}

TEST_CASE("process 1 takes what is in its own session for its commands'") {
  const auto session = getsid(0);
  if (session <= 0)
    return; // it is from outside of this namespace: nothing is in it for certain
  orphan_watch watch(true, true);
  const auto pid = start_adopted(false);
  REQUIRE(eventually([&] { return children_of_this_process() == 1; }));
  const attempt_mark at_work{1, pid - 1, 0, {}};
  CHECK(watch.look({&at_work, 1}) == std::vector<pid_t>{pid});
  watch.end_the_rest();
  CHECK_FALSE(alive(pid));
}

TEST_CASE("a program that became this one by exec may have had children: they are left alone, and reaped") {
  const auto before = fork();
  if (before == 0) {
    execl("/bin/sleep", "sleep", "1000", nullptr);
    _exit(127);
  }
  orphan_watch watch(true);
  watch.end_the_rest();
  CHECK(alive(before));
  kill(before, SIGKILL);
  CHECK(eventually([&] {
    static_cast<void>(watch.look({}));
    return children_of_this_process() == 0;
  }));
}

TEST_CASE("a wake of one who is awake already does not wait") {
  const unique_fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  REQUIRE(event);
  const std::uint64_t full = ~std::uint64_t{1};
  REQUIRE(write(event.get(), &full, sizeof full) == sizeof full);
  wake(event.get());
  std::uint64_t count = 0;
  REQUIRE(read(event.get(), &count, sizeof count) == sizeof count);
  CHECK(count == full);
  wake(event.get());
  REQUIRE(read(event.get(), &count, sizeof count) == sizeof count);
  CHECK(count == 1);
}
