// The threads on which functions of the host run: made when they are needed, at most so many. Knows nothing of assets.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe_internal {

/// First in, first out. Any thread.
class function_threads {
public:
  /// At most `most` at a time. `owner`: what is_here() of these threads says.
  function_threads(unsigned most, const void* owner) : most_(most), owner_(owner) {}
  /// Does what was submitted, and waits for it. Not from one of these threads.
  ~function_threads();
  function_threads(const function_threads&) = delete;
  function_threads& operator=(const function_threads&) = delete;

  /// The work may end its thread (pthread_exit), but not throw. Throws std::system_error where no thread can be had,
  /// and there is none yet.
  void submit(std::function<void()> work);
  /// Whether the calling thread runs a function for this owner.
  [[nodiscard]] static bool is_here(const void* owner);

private:
  void serve();
  /// A thread ends, whatever the cause. mutex_ is not held.
  void leave(std::thread::id who);

  const unsigned most_;
  const void* const owner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  unsigned idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
  std::vector<std::thread> gone_; ///< ended by their work; to be joined
};

} // namespace troupe_internal
