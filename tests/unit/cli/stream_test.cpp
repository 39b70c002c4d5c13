// Writing to descriptors that fail, and signals.
#include "app/cli/fd_stream.hpp"
#include "app/cli/logging.hpp"
#include "app/cli/signals.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <string>
#include <unistd.h>

using namespace troupe;
using namespace troupe::cli;

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
  survive_closed_pipes();
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

TEST_CASE("a hang-up that was ignored stays ignored") {
  std::signal(SIGHUP, SIG_IGN);
  stop_request stop;
  {
    const signal_guard guard(stop);
    std::raise(SIGHUP);
    CHECK(stop.count() == 0);
  }
  std::signal(SIGHUP, SIG_DFL);
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
