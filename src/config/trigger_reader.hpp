// Reads "triggers". Knows its keys; what names params and assets is checked once the file is read
// (trigger_checks.hpp).
#pragma once

#include "config/declared_triggers.hpp"
#include "config/value_reader.hpp"

#include <array>
#include <string_view>

namespace troupe_internal::config {

/// The keys of a trigger: first those that say what it listens to, in the order of trigger_source.
inline constexpr std::array<std::string_view, 28> trigger_keys = {
    "schedule",        "watch",        "webhook",    "sensor",
    "assets",          "manual",       "start",      "description",
    "enabled",         "select",       "exclude",    "params",
    "allow",           "when",         "overlap",    "overlap_scope",
    "queue",           "coalesce",     "debounce",   "throttle",
    "priority",        "start_within", "timeout",    "catch_up",
    "catch_up_window", "catch_up_max", "late_after", "on_failure_pause_after"};

/// Reads the object of all triggers.
void read_triggers(value_reader& values, declared_triggers& into);

} // namespace troupe_internal::config
