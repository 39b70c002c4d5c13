// Sums and products that stop at the largest wait allowed instead of overflowing.
#include "core/run/backoff.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

using ticks = std::uint64_t; // nanoseconds, not negative

ticks times_at_most(ticks value, ticks factor, ticks most) {
  return factor != 0 && value > most / factor ? most : std::min(value * factor, most);
}

/// `value` doubled `times` times.
ticks doubled_at_most(ticks value, std::uint32_t times, ticks most) {
  return times >= 63 ? (value == 0 ? 0 : most) : times_at_most(value, ticks(1) << times, most);
}

/// Uniform in low … high, both included: the high half of bits times count (D. Lemire's multiplication, whose bias
/// of count / 2^64 no wait will ever show). Halves of 32 bits, since C++ has no 128-bit integers.
ticks between(ticks low, ticks high, std::uint64_t bits) {
  const ticks count = high - low + 1;
  const ticks a = bits >> 32U;
  const ticks b = bits & 0xFFFFFFFFU;
  const ticks c = count >> 32U;
  const ticks d = count & 0xFFFFFFFFU;
  const ticks middle = (b * d >> 32U) + (a * d & 0xFFFFFFFFU) + b * c;
  return low + a * c + (a * d >> 32U) + (middle >> 32U);
}

ticks grown(const retry_policy& policy, std::uint32_t failed_attempt, ticks delay, ticks most) {
  switch (policy.backoff) {
  case backoff::fixed:
    break;
  case backoff::linear:
    return times_at_most(delay, failed_attempt, most);
  case backoff::exponential:
    return doubled_at_most(delay, failed_attempt - 1, most);
  }
  return std::min(delay, most);
}

} // namespace

duration retry_delay(const retry_policy& policy, std::uint32_t failed_attempt, duration previous_delay,
                     std::uint64_t random_bits) {
  TROUPE_CHECK(failed_attempt >= 1, "attempts are counted from 1");
  const auto of = [](duration d) { return static_cast<ticks>(std::max(duration::zero(), d).count()); };
  const ticks delay = of(policy.delay);
  const ticks most = std::max(of(policy.max_delay), delay);
  const ticks wait = grown(policy, failed_attempt, delay, most);
  ticks chosen = wait;
  switch (policy.jitter) {
  case jitter::none:
    break;
  case jitter::full:
    chosen = between(0, wait, random_bits);
    break;
  case jitter::equal:
    chosen = between(wait / 2, wait, random_bits);
    break;
  case jitter::decorrelated: {
    const ticks previous = std::max(delay, of(previous_delay));
    chosen = std::min(
        most, between(delay, std::max(delay, times_at_most(previous, 3, ticks(duration::max().count()))), random_bits));
    break;
  }
  }
  return duration(static_cast<duration::rep>(chosen));
}

} // namespace troupe_internal
