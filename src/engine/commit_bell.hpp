// Somebody is called after each commit, who may come and be replaced at any time. Knows nothing of what was committed.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace troupe_internal {

/// Any thread.
class commit_bell {
public:
  void connect(std::function<void()> heard) {
    const std::lock_guard lock(mutex_);
    heard_ = std::move(heard);
  }
  void ring() {
    const std::lock_guard lock(mutex_);
    if (heard_)
      heard_();
  }

private:
  std::mutex mutex_;
  std::function<void()> heard_;
};

} // namespace troupe_internal
