// Writing to descriptors that fail, and signals.
#include "cli/fd_stream.hpp"
#include "cli/logging.hpp"
#include "cli/signals.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe_internal;
using namespace troupe_internal::cli;

TEST_CASE("what is written reaches the descriptor, however long") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::string text;
  {
    fd_stream out(ends[1]);
    out << "hello " << 42 << '\n' << std::flush;
    char buffer[64];
    text.assign(buffer, static_cast<std::size_t>(::read(ends[0], buffer, sizeof buffer)));
    CHECK(out.write_error() == 0);
  }
  CHECK(text == "hello 42\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a closed pipe is an error of the stream, not the end of the process") {
  take_signals_as_errors();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  fd_stream out(ends[1]);
  out << std::string(200'000, 'x') << std::flush;
  CHECK(out.write_error() == EPIPE);
  CHECK_FALSE(out.good());
  ::close(ends[1]);
}

TEST_CASE("a full disk is remembered") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  fd_stream out(full);
  out << "x" << std::flush;
  CHECK(out.write_error() == ENOSPC);
  ::close(full);
}

TEST_CASE("a signal asks the run to stop, and only while a run is guarded") {
  stop_request stop;
  struct sigaction before {};
  sigaction(SIGTERM, nullptr, &before);
  {
    const signal_guard guard(stop);
    std::raise(SIGTERM);
    CHECK(stop.count() == 1);
    CHECK(stop.signal() == SIGTERM);
    std::raise(SIGINT);
    CHECK(stop.count() == 2);
    CHECK(stop.signal() == SIGTERM); // the first counts
  }
  struct sigaction after {};
  sigaction(SIGTERM, nullptr, &after);
  const bool restored = after.sa_handler == before.sa_handler;
  CHECK(restored);
}

TEST_CASE("signals that were ignored stay ignored") {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    std::signal(number, SIG_IGN);
    stop_request stop;
    {
      const signal_guard guard(stop);
      std::raise(number);
      CHECK(stop.count() == 0);
    }
    std::signal(number, SIG_DFL);
  }
}

TEST_CASE("every signal that would end the process asks the run to stop instead") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    stop_request stop;
    const signal_guard guard(stop);
    std::raise(number);
    CHECK(stop.signal() == number);
  }
}

TEST_CASE("it is known whether the process was continued after a stop") {
  stop_request stop;
  const auto before = times_continued();
  {
    const signal_guard guard(stop);
    std::raise(SIGCONT);
  }
  CHECK(times_continued() == before + 1);
  std::raise(SIGCONT);
  CHECK(times_continued() == before + 1);
  CHECK(stop.count() == 0);
}

TEST_CASE("a second signal ends the process where nothing would have to be ended first") {
  const auto ended_by = [](bool ends_at_second) {
    const auto child = fork();
    if (child == 0) {
      stop_request stop;
      const signal_guard guard(stop);
      stop.end_at_second(ends_at_second);
      std::raise(SIGTERM);
      std::raise(SIGINT);
      _exit(7);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  CHECK(ended_by(true) == 128 + SIGINT);
  CHECK(ended_by(false) == 7);
}

TEST_CASE("a status of 128 and a signal ends as by that signal, unless it is one that programs exit for") {
  const auto ended_by = [](int exit_status) {
    const auto child = fork();
    if (child == 0) {
      const rlimit none{};
      setrlimit(RLIMIT_CORE, &none);
      end_as_by_signal(exit_status);
      _exit(7);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  };
  CHECK(ended_by(128 + SIGQUIT) == SIGQUIT);
  CHECK(ended_by(128 + SIGUSR1) == SIGUSR1);
  for (const int status : {0, 1, 3, 128 + SIGINT, 128 + SIGTERM, 128 + SIGHUP, 128 + SIGKILL})
    CHECK(ended_by(status) == 0);
}

TEST_CASE("a file that may not grow is an error of the stream, and signals that were blocked are heard") {
  const auto child = fork();
  if (child == 0) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, nullptr);
    take_signals_as_errors();
    const rlimit small{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &small);
    const int file = ::open(".", O_TMPFILE | O_WRONLY, 0600);
    fd_stream out(file);
    out << std::string(100'000, 'x') << std::flush;
    if (file >= 0 && out.write_error() != EFBIG)
      _exit(1);
    std::signal(SIGTERM, SIG_DFL); // not the handler of these tests
    std::raise(SIGTERM);
    _exit(2);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const bool by_term = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  CHECK(by_term);
}

TEST_CASE("log messages of the level and above go where they were redirected") {
  std::string lines;
  set_up_logging("warn");
  redirect_logging([&](std::string_view line) { lines += std::string(line) + "\n"; });
  spdlog::info("not this");
  spdlog::warn("this {}", 1);
  redirect_logging({});
  CHECK(lines.find("not this") == std::string::npos);
  CHECK(lines.find("warning: this 1\n") != std::string::npos);
  set_up_logging("debug");
  redirect_logging([&](std::string_view line) { lines += line; });
  spdlog::debug("fine");
  CHECK(lines.find("debug: fine") != std::string::npos);
  set_up_logging("off");
}
