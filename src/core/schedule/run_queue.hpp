// The order of queued runs, and which of them may start now. Pure: the time is handed in. Knows nothing of what a run
// does, and does not start it.
#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/event.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe_internal {

struct queued_run {
  run_number run;
  cause_kind cause = cause_kind::user;
  std::int32_t priority = 0;  ///< higher first
  timestamp queued_at;        ///< its waiting time begins here
  std::uint64_t sequence = 0; ///< of the event that queued it: decides between equals
  std::string trigger;        ///< of a backfill: whose intervals it makes; else not read
};

/// A live run, as far as the queue has to know it.
struct started_run {
  cause_kind cause = cause_kind::user;
  std::string trigger;  ///< of a backfill, or the trigger whose event caused it
  std::string pipeline; ///< not read here
};

struct queue_limits {
  std::uint32_t max_runs = 8;   ///< live at a time; runs of people do not count and are not held up by it
  std::uint32_t live_runs = 64; ///< live at a time, all of them
};

/// A run gains 1 for each whole minute that it has waited, and no more than this: priority 0 waits for an hour at most
/// before all that is queued later with priority 60 or less.
inline constexpr std::int32_t most_minutes_gained = 60;

/// The priority that counts at `now`. A clock that was set back takes nothing away.
[[nodiscard]] std::int64_t effective_priority(const queued_run& run, timestamp now);

/// The order in which the runs are to start, as indices into `queued`: backfills after all others; then the higher
/// effective priority; then the lower sequence.
[[nodiscard]] std::vector<std::size_t> order_of_queue(std::span<const queued_run> queued, timestamp now);

/// The first in that order that may start now, as an index into `queued`; nullopt: none may. A backfill may start only
/// if no other run of its trigger's backfill is live.
[[nodiscard]] std::optional<std::size_t> next_to_start(std::span<const queued_run> queued,
                                                       std::span<const started_run> live, const queue_limits& limits,
                                                       timestamp now);

/// When the order can change although nothing is queued or ends: the next whole minute of a run that still gains.
[[nodiscard]] std::optional<timestamp> next_change(std::span<const queued_run> queued, timestamp now);

} // namespace troupe_internal
