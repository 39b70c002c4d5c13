// The thread that wakes the desk when a tick is due, and at once when somebody sets the clock. Knows no trigger.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "serve/trigger_desk.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace troupe_internal::serve {

/// Sleeps on the wall clock (timerfd, CLOCK_REALTIME), so that a suspended machine or a clock that is set wakes it.
class trigger_clock {
public:
  /// `desk` outlives it. Throws std::system_error where the system has no thread or descriptor left.
  trigger_clock(trigger_desk& desk, duration keep_events, std::function<void(const std::string&)> log);
  ~trigger_clock();
  trigger_clock(const trigger_clock&) = delete;
  trigger_clock& operator=(const trigger_clock&) = delete;

  /// Any thread.
  void look_now();
  /// Any thread: something was committed. It looks if that is what a trigger follows.
  void look_at_commits();

private:
  void run();

  trigger_desk& desk_;
  const duration keep_events_;
  std::function<void(const std::string&)> log_;
  unique_fd timer_, wake_, commits_;
  std::atomic<bool> ending_{false};
  std::thread thread_; ///< last: it uses the others
};

} // namespace troupe_internal::serve
