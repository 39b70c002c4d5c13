// A file of dates, one a line. Knows its text, and no disk.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

inline constexpr std::size_t max_dates_bytes = std::size_t(1) << 20U;

/// One date a line ("2026-12-24"); blank lines and what follows # mean nothing. invalid_input names the line.
[[nodiscard]] result<std::vector<std::chrono::sys_days>> dates_in(std::string_view text);

} // namespace troupe_internal::config
