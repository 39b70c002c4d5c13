// The system's clocks and random bits, and the time of a run. Knows nothing of what is timed.
#pragma once

#include "ports/clock.hpp"

#include <algorithm>

namespace troupe_internal {

class system_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override;
  [[nodiscard]] duration monotonic() const override;
  /// From the kernel (getrandom).
  [[nodiscard]] std::uint64_t random() override;
};

/// The time of a run: the wall clock as it was when the run began, and steady from there, so that what ends never ends
/// before it began, and no span holds what somebody did to the wall clock. Not for comparing with files' times.
class run_clock final : public clock {
public:
  /// `behind` outlives this. Begins no earlier than `not_before`.
  explicit run_clock(clock& behind, timestamp not_before = {})
      : behind_(behind), ahead_(std::max(behind.now(), not_before).time_since_epoch() - behind.monotonic()) {}

  [[nodiscard]] timestamp now() const override { return timestamp(ahead_ + behind_.monotonic()); }
  [[nodiscard]] duration monotonic() const override { return behind_.monotonic(); }
  [[nodiscard]] std::uint64_t random() override { return behind_.random(); }

private:
  clock& behind_;
  duration ahead_; ///< over the monotonic clock
};

} // namespace troupe_internal
