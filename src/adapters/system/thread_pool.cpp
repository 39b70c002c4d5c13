// One queue, a few threads.
#include "adapters/system/thread_pool.hpp"

#include "adapters/system/start_thread.hpp"

#include <system_error>

namespace troupe_internal {

thread_pool::thread_pool(unsigned threads) {
  threads_.reserve(threads);
  try {
    while (threads_.size() < threads)
      threads_.push_back(start_thread([this] { serve(); }));
  } catch (const std::system_error&) {
    if (threads_.empty())
      throw;
  }
}

thread_pool::~thread_pool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    thread.join();
}

void thread_pool::submit(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void thread_pool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty())
      return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

} // namespace troupe_internal
