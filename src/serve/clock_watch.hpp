// Whether the wall clock can be believed: jumps while a supervisor is there, and a start before the journal's last
// event. Pure: both clocks are handed in. Knows no trigger.
#pragma once

#include "base/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace troupe_internal::serve {

/// One thread at a time.
class clock_watch {
public:
  struct jump {
    timestamp from; ///< what the wall clock would have shown
    timestamp to;   ///< what it shows
  };
  /// A reading of both clocks at the same moment. Whether the wall clock was set since the last one.
  [[nodiscard]] std::optional<jump> read(timestamp wall, duration steady);

private:
  std::optional<std::pair<timestamp, duration>> last_;
};

/// How much earlier than the journal's last event a clock may be at a start.
inline constexpr duration most_behind = std::chrono::hours(24);
/// Until when a clock that shows `now` is not believed, in a state whose last event was at `last`; nullopt: it is.
[[nodiscard]] std::optional<timestamp> not_believed_until(timestamp now, timestamp last);

} // namespace troupe_internal::serve
