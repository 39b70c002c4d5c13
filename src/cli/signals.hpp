// Turns the signals that ask a program to end into requests to stop a run. Knows nothing of runs.
#pragma once

#include "engine/project.hpp"

#include <array>
#include <csignal>

namespace troupe_internal::cli {

/// While it lives, signals whose default is to end the process and that others send ask `stop` to stop: the first
/// gracefully, the next at once. Those that are ignored stay so: under nohup, or in a script's background. One at a
/// time in a process; construct and destroy on one thread.
class signal_guard {
public:
  explicit signal_guard(stop_request& stop);
  ~signal_guard();
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;

private:
  static constexpr std::array<int, 8> signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU};
  std::array<struct sigaction, 8> before_{};
  struct sigaction before_continued_ {};
};

/// How often this process was continued after it had been stopped, while there was a signal_guard: what was on the
/// terminal is elsewhere by then.
[[nodiscard]] unsigned times_continued();

/// Writing to a pipe nobody reads (EPIPE), or beyond the limit of a file's size (EFBIG), becomes an error instead of
/// the end of the process. By handlers that do nothing, not SIG_IGN: children must not inherit it. Signals that were
/// blocked by the process that started this one are heard again. Process 1 of a container, for which the system has no
/// default actions, ends by the signals that ask for it. Before there are other threads.
void take_signals_as_errors();

/// Ends the process like the default action of a signal, if `status` is 128 and the number of one of those for which
/// there is no custom of exiting with that status: SIGQUIT and the others, but for SIGINT, SIGTERM and SIGHUP.
void end_as_by_signal(int status);

} // namespace troupe_internal::cli
