// When looking at files is to be broken off, before a run and during it. Knows nothing of files.
#pragma once

#include "engine/project.hpp"

#include <atomic>

namespace troupe_internal {

/// Before the run begins, the first request to stop ends all looking. Then it goes on until the run itself knows that
/// it is to stop: what is broken off before that would pass for a failure. Any thread.
class reading_limit {
public:
  explicit reading_limit(const stop_request& stop) : stop_(stop) {}

  [[nodiscard]] bool over() const { return run_.load() ? stopping_.load() : stop_.count() > 0; }
  void run_begins() { run_.store(true); }
  void run_stops() { stopping_.store(true); }

private:
  const stop_request& stop_;
  std::atomic<bool> run_{false}, stopping_{false};
};

/// While it lives, a second request ends the process: nothing runs that would have to be ended first.
class second_request_ends {
public:
  explicit second_request_ends(stop_request& stop) : stop_(stop) { stop_.end_at_second(true); }
  ~second_request_ends() { stop_.end_at_second(false); }
  second_request_ends(const second_request_ends&) = delete;
  second_request_ends& operator=(const second_request_ends&) = delete;

private:
  stop_request& stop_;
};

} // namespace troupe_internal
