// A mutex that is had in the order of asking for it. Knows nothing of what it guards.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace troupe_internal {

/// With std::mutex a thread that gives it back and asks again at once mostly has it again, before another that waits
/// has woken. Lockable as that is.
class fair_mutex {
public:
  void lock() { sleep_until_had(asked_++); }

  /// lock() for who expects to have it soon. Who is next looks again and again for a moment before it sleeps: to be
  /// woken takes as long, and what wakes it may get in the way of.
  void lock_soon() {
    const auto mine = asked_++;
    if (had_.load(std::memory_order_acquire) + 1 == mine && several_processors())
      look_until_had(mine);
    sleep_until_had(mine);
  }

  void unlock() {
    const std::lock_guard lock(mutex_);
    const auto next = ++had_;
    if (next != asked_)
      sleeper(next).notify_all();
  }

  /// Whether others wait; for who has it.
  [[nodiscard]] bool wanted() const { return asked_ - had_ > 1; }

private:
  static constexpr auto a_moment = std::chrono::microseconds(200);

  static bool several_processors() {
    static const bool several = std::thread::hardware_concurrency() > 1;
    return several;
  }
  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  void look_until_had(std::uint64_t mine) const {
    constexpr int looks = 50; // between two looks at the clock
    const auto until = std::chrono::steady_clock::now() + a_moment;
    do {
      for (int i = 0; i < looks; ++i) {
        if (had_.load(std::memory_order_acquire) == mine)
          return;
        pause();
      }
    } while (std::chrono::steady_clock::now() < until);
  }
  void sleep_until_had(std::uint64_t mine) {
    if (had_.load(std::memory_order_acquire) == mine)
      return;
    std::unique_lock lock(mutex_);
    sleeper(mine).wait(lock, [&] { return had_ == mine; });
  }
  std::condition_variable& sleeper(std::uint64_t whose) {
    return sleepers_[whose % sleepers_.size()];
  }

  std::mutex mutex_; // for sleepers_
  /// Whoever sleeps here is woken for those only with whom it shares one: nobody, up to so many threads.
  std::array<std::condition_variable, 32> sleepers_;
  std::atomic<std::uint64_t> asked_{0};
  std::atomic<std::uint64_t> had_{0}; // whose turn it is; written with mutex_
};

} // namespace troupe_internal
