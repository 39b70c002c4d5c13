// From handles to an engine that may go: a handle uses it for as long as a call takes, and the engine waits for such
// calls before it goes. Knows nothing of what an engine is.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe_internal::lib {

class host_engine;

/// Any thread.
class engine_link {
public:
  explicit engine_link(host_engine& to) : to_(&to) {}
  engine_link(const engine_link&) = delete;
  engine_link& operator=(const engine_link&) = delete;

  /// While it lives, the engine does; empty: it has gone, or is going.
  class use {
  public:
    explicit use(engine_link& link) : link_(link), engine_(link.begin()) {}
    ~use() {
      if (engine_ != nullptr)
        link_.end();
    }
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    [[nodiscard]] explicit operator bool() const { return engine_ != nullptr; }
    [[nodiscard]] host_engine* operator->() const { return engine_; }

  private:
    engine_link& link_;
    host_engine* const engine_;
  };

  /// Nobody gets it any more, and nobody uses it.
  void close() {
    std::unique_lock lock(mutex_);
    to_ = nullptr;
    unused_.wait(lock, [this] { return users_ == 0; });
  }

private:
  host_engine* begin() {
    const std::lock_guard lock(mutex_);
    if (to_ != nullptr)
      ++users_;
    return to_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0)
      unused_.notify_all();
  }

  std::mutex mutex_; ///< guards what follows
  std::condition_variable unused_;
  host_engine* to_;
  std::size_t users_ = 0;
};

} // namespace troupe_internal::lib
