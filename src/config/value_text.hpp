// The small notations inside a pipeline file's strings and beside it: durations, sizes, names, --param. Knows nothing
// of JSON.
#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe_internal::config {

inline constexpr std::size_t max_name_bytes = 200;

/// "250ms", "10s", "5m", "1h", "1d": a whole number and a unit, at most 36500d.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);
/// "100B", "10KB", "1MB", "1GB", "1TB" (powers of 1000) or "1KiB", "1MiB", "1GiB" (powers of 1024), at most 1000TB.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// [A-Za-z_][A-Za-z0-9_.-]*, at most 200 bytes.
[[nodiscard]] bool is_name(std::string_view text);
/// What is wrong with a text that is_name() refuses; `what` says what it names.
[[nodiscard]] std::string name_problem(std::string_view text, std::string_view what);
/// [A-Za-z_][A-Za-z0-9_]*: what every shell takes for a variable.
[[nodiscard]] bool is_variable_name(std::string_view text);
/// "K=V" of --param, cut at the first =; nullopt without one, or without a name before it.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> parse_param(std::string_view text);
/// A whole number as JSON writes it: 5, 5.0, 5e0; nullopt for 4.5 and beyond 2^53.
[[nodiscard]] std::optional<std::int64_t> parse_whole_number(std::string_view text);
/// Why the whole text is no number as JSON writes them; empty if it is one.
[[nodiscard]] std::string_view number_problem(std::string_view text);

} // namespace troupe_internal::config
