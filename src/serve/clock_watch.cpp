// Two clocks, compared.
#include "serve/clock_watch.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr duration smallest_jump = std::chrono::seconds(2);
constexpr duration::rep drift_per = 1000; ///< clocks are slewed by up to 0.05 %: that is no jump

} // namespace

std::optional<clock_watch::jump> clock_watch::read(timestamp wall, duration steady) {
  const auto before = std::exchange(last_, std::pair(wall, steady));
  if (!before)
    return std::nullopt;
  const auto passed = steady - before->second;
  const auto expected = before->first + passed;
  const auto off = wall > expected ? wall - expected : expected - wall;
  if (off < std::max(smallest_jump, passed / drift_per))
    return std::nullopt;
  return jump{expected, wall};
}

std::optional<timestamp> not_believed_until(timestamp now, timestamp last) {
  return now < last && last - now > most_behind ? std::optional(last) : std::nullopt;
}

} // namespace troupe_internal::serve
