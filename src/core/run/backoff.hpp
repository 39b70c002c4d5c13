// How long to wait before an attempt is made again. Knows no clock and no generator: random bits are handed in.
#pragma once

#include "base/time.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>

namespace troupe_internal {

/// The wait after failed attempt number `failed_attempt` (1-based), never more than the larger of policy.max_delay and
/// policy.delay, never negative:
///
///   backoff: w = delay (fixed), delay · n (linear), delay · 2^(n - 1) (exponential), at most max_delay or delay
///   jitter:  w (none), 0 … w (full), w/2 … w (equal), delay … 3 · previous (decorrelated, which grows by itself: it
///            takes the place of the backoff)
///
/// after M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. `previous_delay` is what this
/// function returned for the attempt before, zero for the first; only decorrelated looks at it. `random_bits` are 64
/// uniform bits; only jitter looks at them, so that replay with the same bits gives the same wait.
[[nodiscard]] duration retry_delay(const retry_policy& policy, std::uint32_t failed_attempt, duration previous_delay,
                                   std::uint64_t random_bits);

} // namespace troupe_internal
