// A few plain threads for work that blocks: hashing, globbing, file checks. Knows nothing of what the work is.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe_internal {

/// First in, first out. submit() from any thread; the destructor finishes what was submitted.
class thread_pool {
public:
  /// With fewer threads where the system does not give as many; throws std::system_error where it gives none.
  explicit thread_pool(unsigned threads);
  ~thread_pool();
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// The work must not throw.
  void submit(std::function<void()> work);

private:
  void serve();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

} // namespace troupe_internal
