// CLOCK_REALTIME, CLOCK_BOOTTIME and getrandom.
#include "adapters/system/system_clock.hpp"

#include "adapters/system/clock_shift.hpp"
#include "base/check.hpp"

#include <sys/random.h>
#include <time.h>

#include <atomic>
#include <chrono>

namespace troupe_internal {

namespace {

std::atomic<duration::rep> shift{0};

} // namespace

void shift_clocks(duration by) {
  shift.fetch_add(by.count(), std::memory_order_relaxed);
}

timestamp system_clock::now() const {
  return std::chrono::system_clock::now() + duration(shift.load(std::memory_order_relaxed));
}

duration system_clock::monotonic() const {
  timespec since_boot{}; // unlike CLOCK_MONOTONIC it goes on while the machine sleeps
  TROUPE_CHECK(clock_gettime(CLOCK_BOOTTIME, &since_boot) == 0, "the kernel does not know the time");
  return std::chrono::seconds(since_boot.tv_sec) + std::chrono::nanoseconds(since_boot.tv_nsec);
}

std::uint64_t system_clock::random() {
  std::uint64_t bits = 0;
  TROUPE_CHECK(getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits),
               "the kernel gives no random bits");
  return bits;
}

} // namespace troupe_internal
