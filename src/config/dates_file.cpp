// Line by line.
#include "config/dates_file.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace troupe_internal::config {

namespace {

/// "2026-12-24"
std::optional<std::chrono::sys_days> date_of(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) -> std::optional<unsigned> {
    unsigned value = 0;
    for (const char c : text.substr(from, count)) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value;
  };
  const auto year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (!year || !month || !day)
    return std::nullopt;
  const auto date = std::chrono::year(static_cast<int>(*year)) / std::chrono::month(*month) / std::chrono::day(*day);
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

} // namespace

result<std::vector<std::chrono::sys_days>> dates_in(std::string_view text) {
  std::vector<std::chrono::sys_days> dates;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto rest = text.substr(0, std::min(text.substr(0, end).find('#'), end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto first = rest.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
      continue;
    rest = rest.substr(first, rest.find_last_not_of(" \t\r") - first + 1);
    const auto date = date_of(rest);
    if (!date)
      // Not what it says: a link may lead anywhere.
      return fail(error_code::invalid_input, "line " + std::to_string(line) + " is no date such as 2026-12-24");
    dates.push_back(*date);
  }
  return dates;
}

} // namespace troupe_internal::config
