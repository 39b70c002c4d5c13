// What a run's actors run on: one thread for them and one for their timers, both had before there is an actor system.
// Knows nothing of the actors.
#pragma once

#include "actors/caf.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {

/// Threads that wait for something to do, do it, and end. CAF starts its own threads while it builds an actor system,
/// and cannot take back what it has begun if the system refuses one of them: it hangs or dies. These are there before
/// that.
class run_threads {
public:
  /// Throws std::system_error where the system does not give two threads.
  run_threads();
  ~run_threads();
  run_threads(const run_threads&) = delete;
  run_threads& operator=(const run_threads&) = delete;

  /// Once: what each is to do.
  void start(std::function<void()> first, std::function<void()> second);
  /// Waits until they have done it; without start() they end at once.
  void join();

private:
  void wait_for_work(std::size_t mine);

  std::mutex mutex_;
  std::condition_variable wake_;
  bool begun_ = false;
  std::vector<std::function<void()>> work_;
  std::vector<std::thread> threads_;
};

/// Makes an actor system with this configuration run its actors, in order of their messages, on the first of `threads`
/// (which outlive the system) and its timers on the second. There is no printer for caf::aout.
void schedule_on(caf::actor_system_config& config, run_threads& threads);

} // namespace troupe
