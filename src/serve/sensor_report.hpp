// What a sensor prints: JSON, as plain values. Knows no sensor and no trigger.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// A run that a sensor asks for.
struct reported_run {
  std::string key; ///< empty: none
  std::optional<std::vector<std::string>> select;
  std::vector<std::pair<std::string, std::string>> params; ///< numbers and booleans as they are written
  friend bool operator==(const reported_run&, const reported_run&) = default;
};

struct sensor_report {
  std::optional<std::string> cursor; ///< where it continues; nullopt: where it was
  std::vector<reported_run> runs;
  std::string skip_reason; ///< why there are no runs, for people
  bool again = false;      ///< it wants to be called again at once
  friend bool operator==(const sensor_report&, const sensor_report&) = default;
};

inline constexpr std::size_t max_report_bytes = std::size_t(1) << 20U;
inline constexpr std::size_t max_cursor_bytes = std::size_t(64) << 10U;

/// invalid_input, with the place, for what is no JSON object, has other keys, values of another kind, a key twice, or
/// more runs than that. Total: any bytes.
[[nodiscard]] result<sensor_report> parse_sensor_report(std::string_view text, std::uint32_t most_runs);

} // namespace troupe_internal::serve
