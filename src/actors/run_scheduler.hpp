// What a run's actors run on: a work_loop, and for their timers one thread, had before there is an actor system. Knows
// nothing of the actors.
#pragma once

#include "actors/caf.hpp"
#include "ports/work_loop.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe_internal {

/// A thread that waits for something to do, does it, and ends. CAF starts its own threads while it builds an actor
/// system, and cannot take back what it has begun if the system refuses one of them: it hangs or dies. This one is
/// there before that.
class timer_thread {
public:
  /// Throws std::system_error where the system does not give a thread.
  timer_thread();
  ~timer_thread();
  timer_thread(const timer_thread&) = delete;
  timer_thread& operator=(const timer_thread&) = delete;

  /// Once: what it is to do.
  void start(std::function<void()> work);
  /// Waits until it has done it; without start() it ends at once.
  void join();

private:
  void wait_for_work();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool begun_ = false;
  std::function<void()> work_;
  std::thread thread_;
};

/// Makes an actor system with this configuration run its actors, in order of their messages, on `loop`, and its timers
/// on `timers`; both outlive the system, which leaves nothing in the loop. There is no printer for caf::aout.
void schedule_on(caf::actor_system_config& config, work_loop& loop, timer_thread& timers);

} // namespace troupe_internal
