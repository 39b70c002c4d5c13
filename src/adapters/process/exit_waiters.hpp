// Threads that each wait for the end of one child, and notice when it is stopped. Knows nothing of what follows from
// it.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe_internal {

/// The signal that has stopped a child since this was last asked; 0: none has. Each stop is reported once.
[[nodiscard]] int take_stop(pid_t pid);

/// The kernel wakes who waits for a child (waitid) where the child ran, for its processor is about to be free. Who
/// watches a pidfd it wakes where that thread ran before, mostly in the place of another command, while the processor
/// of the one that has ended may stay idle. So what follows from an end, up to the start of the next command, is done
/// by a thread that waited for it. Each has all signals blocked but a SIGCHLD that is ignored.
class exit_waiters {
public:
  /// At most `most` threads, made as they are needed. `ended` is called with what take() was given, by the thread that
  /// waited and on no lock; the child is still to be reaped. `stopped` likewise, each time a signal stops the child:
  /// the thread goes on to wait for its end.
  /// `let_be_ignored`: see let_child_signals_be_ignored().
  exit_waiters(std::size_t most, bool let_be_ignored, std::function<void(std::uint64_t id)> ended,
               std::function<void(std::uint64_t id, int signal)> stopped);
  /// When nothing is waited for any more.
  ~exit_waiters();
  exit_waiters(const exit_waiters&) = delete;
  exit_waiters& operator=(const exit_waiters&) = delete;

  /// Has a thread wait for the end of this child: the caller's, if it is one of these and has none yet, else another.
  /// False if all have something to do, or the system gives no more threads. Any thread.
  [[nodiscard]] bool take(std::uint64_t id, pid_t pid);
  /// Whether the caller's thread is one of these.
  [[nodiscard]] bool is_here() const;

private:
  struct waiter {
    std::thread thread;
    std::condition_variable wake;
    std::uint64_t id = 0;
    pid_t pid = 0;            ///< 0: none
    bool has_nothing = false; ///< and is not on its way back from an end either
  };
  /// Locked. None if there are enough or the system has no more.
  [[nodiscard]] waiter* one_more();
  void serve(waiter& w);
  void wait_for_end(std::uint64_t id, pid_t pid) const;

  std::function<void(std::uint64_t)> ended_;
  std::function<void(std::uint64_t, int)> stopped_;
  mutable std::mutex mutex_; // guards all below
  std::size_t most_;
  const bool let_be_ignored_;
  bool ending_ = false;
  std::deque<waiter> waiters_; // stay where they are
};

} // namespace troupe_internal
