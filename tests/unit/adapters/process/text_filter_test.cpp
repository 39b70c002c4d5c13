// Helper programs over texts, with the real system.
#include "adapters/process/text_filter.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <unistd.h>

using namespace troupe_internal;
using namespace std::chrono_literals;

TEST_CASE("a filter's output comes back whole, however much goes in and out") {
  std::string big;
  for (int i = 0; i < 200'000; ++i)
    big += "line " + std::to_string(i) + "\n";
  const auto copied = run_text_filter({"cat"}, big, 60s);
  REQUIRE(copied.has_value());
  CHECK(*copied == big);
  CHECK(run_text_filter({"tr", "a-z", "A-Z"}, "hello", 60s).value() == "HELLO");
  CHECK(run_text_filter({"true"}, big, 60s).value().empty()); // nobody reads, and no signal ends us
}

TEST_CASE("a program that does not exist is told apart") {
  const auto missing = run_text_filter({"no-such-program-as-this"}, "", 60s);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == error_code::not_found);
  CHECK(missing.error().message == "there is no program no-such-program-as-this");
}

TEST_CASE("a program that cannot be executed is an error") {
  const auto refused = run_text_filter({"/etc/passwd"}, "", 60s);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::io);
  CHECK(refused.error().message.find("/etc/passwd") != std::string::npos);
}

TEST_CASE("a failure carries the exit status and what was said") {
  const auto failed = run_text_filter({"sh", "-c", "echo out; echo 'it broke' >&2; exit 7"}, "", 60s);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == error_code::io);
  CHECK(failed.error().message == "sh failed with exit status 7: it broke");
  CHECK(run_text_filter({"false"}, "", 60s).error().message == "false failed with exit status 1");
}

TEST_CASE("a program that dies of a signal is an error") {
  const auto died = run_text_filter({"sh", "-c", "kill -9 $$"}, "", 60s);
  REQUIRE_FALSE(died.has_value());
  CHECK(died.error().message == "sh was ended by signal 9");
}

TEST_CASE("a program that takes too long is ended, whether or not it keeps its output open") {
  for (const char* script : {"exec sleep 1000", "exec sleep 1000 >&-"}) {
    const auto slow = run_text_filter({"sh", "-c", script}, "", 50ms);
    REQUIRE_FALSE(slow.has_value());
    CHECK(slow.error().code == error_code::io);
    CHECK(slow.error().message == "sh took longer than 50ms and was ended");
  }
}

TEST_CASE("no descriptor but the standard ones reaches a filter") {
  int leaked[2];
  REQUIRE(pipe(leaked) == 0);
  const auto open = run_text_filter({"sh", "-c", "ls /proc/self/fd | wc -l"}, "", 60s);
  close(leaked[0]);
  close(leaked[1]);
  CHECK(open.value() == "4\n"); // 0, 1, 2 and the folder being listed
}

TEST_CASE("a filter starts with signals as usual, even where the caller blocks or ignores them") {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(sigprocmask(SIG_BLOCK, &blocked, &before) == 0);
  const auto died = run_text_filter({"sh", "-c", "kill -TERM $$; echo still here"}, "", 60s);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  REQUIRE_FALSE(died.has_value());
  CHECK(died.error().message == "sh was ended by signal 15");
}
