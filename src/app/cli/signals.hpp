// Turns the signals that ask a program to end into requests to stop a run. Knows nothing of runs.
#pragma once

#include "app/engine/project.hpp"

#include <array>
#include <csignal>

namespace troupe::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP (unless that was ignored, as under nohup) ask `stop` to stop: the first
/// gracefully, the next at once. One at a time in a process; construct and destroy on one thread.
class signal_guard {
public:
  explicit signal_guard(stop_request& stop);
  ~signal_guard();
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;

private:
  static constexpr std::array<int, 3> signals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, 3> before_{};
};

/// Writing to a pipe nobody reads becomes an error (EPIPE) instead of the end of the process. A handler that does
/// nothing, not SIG_IGN: children must not inherit it.
void survive_closed_pipes();

} // namespace troupe::cli
