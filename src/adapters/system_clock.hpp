// The system's clocks and random bits, and a wall clock for histories. Knows nothing of what is timed.
#pragma once

#include "ports/clock.hpp"

#include <mutex>

namespace troupe {

class system_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override;
  [[nodiscard]] duration monotonic() const override;
  /// From the kernel (getrandom).
  [[nodiscard]] std::uint64_t random() override;
};

/// Wall-clock time that never goes back: where the clock behind it does, this one goes on from where it was, so that
/// what ends never ends before it began. Steps forward (a machine that slept) pass. Not for comparing with files'
/// times.
class forward_clock final : public clock {
public:
  /// `behind` outlives this. No time before `not_before` is told.
  explicit forward_clock(clock& behind, timestamp not_before = {}) : behind_(behind), last_(not_before) {}

  [[nodiscard]] timestamp now() const override;
  [[nodiscard]] duration monotonic() const override { return behind_.monotonic(); }
  [[nodiscard]] std::uint64_t random() override { return behind_.random(); }

private:
  clock& behind_;
  mutable std::mutex mutex_;
  mutable timestamp last_;
  mutable duration ahead_{}; ///< of the clock behind
};

} // namespace troupe
