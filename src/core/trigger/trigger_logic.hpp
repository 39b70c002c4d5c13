// When a schedule's ticks fire. Pure: the moment and what is remembered are handed in. Knows no journal, no thread and
// no clock, and not what becomes of an event (event_rules).
#pragma once

#include "base/digest.hpp"
#include "core/model/trigger_event.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe_internal {

/// A tick that is to become an event.
struct due_tick {
  timestamp nominal;
  timestamp after; ///< no other tick lies between this moment and the nominal one
  friend bool operator==(const due_tick&, const due_tick&) = default;
};

/// Ticks that will not.
struct missed_gap {
  timestamp first;
  timestamp last;
  std::uint64_t count = 0;
  friend bool operator==(const missed_gap&, const missed_gap&) = default;
};

/// What a look at a schedule finds. The gap, if any, comes before the ticks.
struct schedule_look {
  bool forget = false;              ///< the clock was set back behind what has fired: ticks count from now on
  std::optional<missed_gap> missed; ///< older than all of `due`
  std::vector<due_tick> due;        ///< in order; at most most_ticks_a_look of them, the oldest
  std::optional<timestamp> next;    ///< the next tick that is not due yet; in the past where there is more to do now
};
inline constexpr std::size_t most_ticks_a_look = 1000;

/// What is due at `now`. Ticks up to `record.mark` have a fate. No tick that has fired fires again, whatever the clock
/// does. Takes time for the ticks that fire, and for the days, not the ticks, of a gap.
[[nodiscard]] schedule_look look_at_schedule(const trigger& of, const trigger_record& record, timestamp now);

/// Ticks after the mark, up to the moment, that have no fate and get none by a look: the trigger stops to fire before.
[[nodiscard]] std::optional<missed_gap> ticks_left_behind(const trigger& of, const trigger_record& record,
                                                          timestamp now);

/// The ticks that a backfill is for.
struct backfill_plan {
  std::vector<due_tick> ticks; ///< in order
  std::uint64_t had_fired = 0; ///< ticks in the span that have fired, and are left out
  bool too_many = false;       ///< there are more than most_ticks_a_backfill
};
inline constexpr std::size_t most_ticks_a_backfill = 5000;
/// Ticks from the one moment to the other, both included. `again`: those that have fired as well.
[[nodiscard]] backfill_plan plan_backfill(const trigger& of, const trigger_record& record, timestamp from,
                                          timestamp until, bool again);

/// Of what decides when a trigger fires: where it differs from the recorded one, ticks count anew from now on.
[[nodiscard]] digest definition_of(const trigger& of);

} // namespace troupe_internal
