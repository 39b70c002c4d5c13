// Triggers for people and programs: their next ticks, what the journal says of them, and `triggers --json`. Knows no
// supervisor.
#pragma once

#include "base/json_writer.hpp"
#include "core/model/trigger_event.hpp"
#include "core/trigger/trigger.hpp"
#include "views/console.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// A trigger and the pipeline that it is of.
struct shown_trigger {
  std::string pipeline;
  const trigger* what = nullptr;
  std::vector<timestamp> next;          ///< ticks of a schedule; empty if it is not enabled
  std::optional<trigger_record> record; ///< what the journal says of it
  std::string degraded;                 ///< what keeps it from doing all it says; empty: nothing, or unknown
};

/// The next `count` ticks of each trigger after the moment.
[[nodiscard]] std::vector<shown_trigger> shown_triggers(const std::string& pipeline, const trigger_set& set,
                                                        timestamp from, std::size_t count);

/// {"format","triggers":{"PIPELINE/NAME":{"kind","enabled","paused","degraded","last","next"}}}
void write_triggers(json_writer& json, const std::vector<shown_trigger>& triggers);

/// One of them, as an object.
void write_trigger(json_writer& json, const shown_trigger& one);

/// A table: name, kind, the next tick. With `in_full`, each trigger with its schedule and all of its next ticks.
void print_triggers(const output& to, const std::vector<shown_trigger>& triggers, bool in_full);

/// A tick as clocks of its zone show it, and in UTC: "Sun 2026-03-29 03:00 CEST (01:00Z)".
[[nodiscard]] std::string tick_text(timestamp tick, const time_zone& zone);

/// Schedules that restrict the day of the month and the day of the week, which is often misread: a sentence for each,
/// with the next three ticks after the moment.
[[nodiscard]] std::vector<std::string> notes_on_schedules(const trigger_set& set, timestamp now);

} // namespace troupe_internal::cli
