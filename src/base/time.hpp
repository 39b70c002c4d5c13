// The types of time: one for moments, one for spans. Knows no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

/// A span; nanoseconds.
using duration = std::chrono::nanoseconds;
/// A moment of wall-clock time (Unix epoch, UTC); nanoseconds.
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

[[nodiscard]] constexpr std::int64_t to_unix_ns(timestamp t) {
  return t.time_since_epoch().count();
}
[[nodiscard]] constexpr timestamp from_unix_ns(std::int64_t ns) {
  return timestamp(duration(ns));
}

/// RFC 3339 in UTC with milliseconds: 2026-01-31T08:15:30.250Z.
[[nodiscard]] std::string to_rfc3339(timestamp t);
/// A moment as people write it: 2026-01-31, 2026-01-31T08:15, 2026-01-31T08:15:30, with Z or an offset such as +02:00
/// behind the time; without one in UTC. nullopt for anything else.
[[nodiscard]] std::optional<timestamp> parse_moment(std::string_view text);
/// For people: 850ms, 3.2s, 4m07s, 2h05m, 3d04h.
[[nodiscard]] std::string to_human(duration d);

} // namespace troupe_internal
