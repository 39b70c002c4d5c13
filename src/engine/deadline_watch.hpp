// Asks calls of functions to stop when their time is up. Knows nothing of what they do.
#pragma once

#include "base/time.hpp"
#include "engine/stop_source.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe_internal {

/// A thread of its own, from the first deadline on. Any thread.
class deadline_watch {
public:
  using clock = std::chrono::steady_clock;

  deadline_watch() = default;
  ~deadline_watch();
  deadline_watch(const deadline_watch&) = delete;
  deadline_watch& operator=(const deadline_watch&) = delete;

  /// One call's: its stop is asked for at `when`, unless this is destroyed before. Throws std::system_error.
  class deadline {
  public:
    deadline(deadline_watch& watch, clock::time_point when, troupe_stop& stop);
    ~deadline();
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;

  private:
    deadline_watch& watch_;
    const std::uint64_t number_;
    const clock::time_point when_;
  };

private:
  void run();

  std::mutex mutex_; ///< guards what follows
  std::condition_variable changed_;
  std::map<std::pair<clock::time_point, std::uint64_t>, troupe_stop*> due_;
  std::uint64_t last_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace troupe_internal
