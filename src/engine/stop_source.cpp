// Listeners are called without the lock, one after the other.
#include "engine/stop_source.hpp"

#include <algorithm>

void troupe_stop::request() {
  std::unique_lock lock(mutex_);
  if (requested_.exchange(true, std::memory_order_acq_rel))
    return;
  caller_ = std::this_thread::get_id();
  while (!listeners_.empty()) {
    const auto one = listeners_.back();
    listeners_.pop_back();
    calling_ = one.number;
    lock.unlock();
    one.then(one.state);
    lock.lock();
    calling_ = 0;
    called_.notify_all();
  }
}

std::uint64_t troupe_stop::tell(void (*then)(void*), void* state) {
  {
    const std::lock_guard lock(mutex_);
    if (!requested_.load(std::memory_order_relaxed)) {
      listeners_.push_back({++last_, then, state});
      return last_;
    }
  }
  then(state);
  return 0;
}

void troupe_stop::forget(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  std::erase_if(listeners_, [&](const listener& one) { return one.number == number; });
  if (number != 0 && caller_ != std::this_thread::get_id())
    called_.wait(lock, [&] { return calling_ != number; });
}
