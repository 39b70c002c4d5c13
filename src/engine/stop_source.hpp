// Whether one call of a function is to stop, for the function and for those that it has asked to be told. Knows nothing
// of why.
#pragma once

#include "troupe/abi.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

/// Counted: it lives as long as somebody holds it. Any thread.
struct troupe_stop {
public:
  troupe_stop() = default;
  troupe_stop(const troupe_stop&) = delete;
  troupe_stop& operator=(const troupe_stop&) = delete;

  void retain() { holders_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }
  [[nodiscard]] bool requested() const { return requested_.load(std::memory_order_acquire); }
  /// Once is enough. Calls all that have asked to be told.
  void request();
  /// 0: `then` was called now.
  std::uint64_t tell(void (*then)(void*), void* state);
  /// Waits for it, if another thread is calling it.
  void forget(std::uint64_t number);

private:
  ~troupe_stop() = default;
  struct listener {
    std::uint64_t number;
    void (*then)(void*);
    void* state;
  };
  std::atomic<std::uint32_t> holders_{1};
  std::atomic<bool> requested_{false};
  std::mutex mutex_; ///< guards what follows
  std::condition_variable called_;
  std::vector<listener> listeners_;
  std::uint64_t last_ = 0;
  std::uint64_t calling_ = 0; ///< the listener that is being called; 0: none
  std::thread::id caller_;
};
