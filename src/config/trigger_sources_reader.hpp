// Reads what a trigger listens to: one object for each kind. Knows nothing of the other keys of a trigger.
#pragma once

#include "config/declared_triggers.hpp"
#include "config/value_reader.hpp"

#include <array>
#include <string_view>

namespace troupe_internal::config {

inline constexpr std::array<std::string_view, 6> schedule_keys = {"cron",     "every",  "offset",
                                                                  "timezone", "not_on", "jitter"};
inline constexpr std::array<std::string_view, 6> watch_keys = {"paths",    "settle", "max_settle",
                                                               "existing", "poll",   "ignore"};
inline constexpr std::array<std::string_view, 10> webhook_keys = {
    "scheme", "secret", "key", "keep_keys", "header", "prefix", "encoding", "signed", "timestamp_header", "tolerance"};
inline constexpr std::array<std::string_view, 5> sensor_keys = {"command", "every", "timeout", "runs_per_call",
                                                                "keep_keys"};
inline constexpr std::array<std::string_view, 4> assets_keys = {"any", "all", "within", "self"};

/// Reads the value of trigger_keys[kind] into the trigger's source; marks the trigger as broken if it is wrong.
void read_source(value_reader& values, std::size_t kind, const trigger_sources& sources, declared_trigger& into);

/// A list of strings that are not empty, each with its place as "WHAT.0", "WHAT.1".
[[nodiscard]] std::vector<std::string> read_texts(value_reader& values, std::string_view what,
                                                  std::string_view expected, declared_trigger& into);

} // namespace troupe_internal::config
