// What becomes of an event while runs of its trigger are open: a run of its own, a place in one that waits, or nothing.
// Pure: what is open is handed in. Knows no journal, no thread and no clock, and not when a queued run may start
// (start_rules).
#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/event.hpp"
#include "core/trigger/trigger.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// How a trigger's events become runs.
struct event_rules {
  overlap_rule overlap = overlap_rule::queue;
  overlap_scope scope = overlap_scope::trigger;
  queue_rule queue;
  coalesce_rule coalesce = coalesce_rule::equal;
  duration quiet{0};         ///< debounce; 0: none
  duration longest_quiet{0}; ///< debounce, after the first event
  std::string group;         ///< debounce: the value of its key in this event
  duration jitter{0};
  std::optional<duration> start_within, timeout;
  bool unthrottled = false;
  bool apart = false; ///< the event gets a run of its own, beside whatever is open
};
/// All but the group, which the event decides.
[[nodiscard]] event_rules rules_of(const trigger& of);

/// An open run of a trigger, as far as an event has to know it.
struct open_trigger_run {
  run_number run;
  bool waits = false; ///< it is queued, and nothing has begun to start it
  std::vector<std::pair<std::string, std::string>> params;
  bool quiet = false; ///< it waits for its quiet time to pass
  std::string group;
};

/// What becomes of an event.
struct event_decision {
  enum class what : std::uint8_t {
    new_run, ///< queued; where the trigger's runs do not overlap, it starts when no other one lives
    join,    ///< the run that waits
    skip,
    refuse, ///< nothing is taken in: there is no room
  };
  what becomes = what::new_run;
  run_number joins;
  bool cancels_live = false; ///< runs that live are to end when the run may start
  std::string because;       ///< skip, refuse
};

/// `open`: of the trigger, or of its whole pipeline, as its scope says; in the order of their numbers.
///
/// A run whose quiet time has not passed is not in the queue yet: events of its group join it, and for all others it
/// does not count. Behind it the order is overlap, queue.
[[nodiscard]] event_decision decide_event(const event_rules& rules, std::span<const open_trigger_run> open,
                                          const std::vector<std::pair<std::string, std::string>>& params);

/// What the first event of a run says of when it may start. `nominal`: of a tick. The same for the same event.
[[nodiscard]] start_conditions conditions_for(const event_rules& rules, const std::string& trigger, timestamp at,
                                              std::optional<timestamp> nominal);
/// When an event is too old to become a run.
[[nodiscard]] std::optional<timestamp> expiry_of(const event_rules& rules, timestamp at,
                                                 std::optional<timestamp> nominal);

} // namespace troupe_internal
