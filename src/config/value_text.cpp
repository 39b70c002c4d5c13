// Readers for the small notations; each takes the whole text or nothing.
#include "config/value_text.hpp"

#include "base/shown_text.hpp"
#include "config/findings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

namespace troupe_internal::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// "15" and "ms" of "15ms"; nullopt unless there are both.
std::optional<std::pair<std::uint64_t, std::string_view>> number_and_unit(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc())
    return std::nullopt;
  return std::pair(number, text.substr(static_cast<std::size_t>(read.ptr - text.data())));
}

template <std::size_t N>
std::optional<std::uint64_t> scaled(std::string_view text,
                                    const std::array<std::pair<std::string_view, std::uint64_t>, N>& units,
                                    std::uint64_t limit) {
  const auto parts = number_and_unit(text);
  if (!parts)
    return std::nullopt;
  for (const auto& [unit, factor] : units)
    if (unit == parts->second)
      return parts->first <= limit / factor ? std::optional(parts->first * factor) : std::nullopt;
  return std::nullopt;
}

} // namespace

std::optional<duration> parse_duration(std::string_view text) {
  static constexpr std::uint64_t second = 1'000'000'000;
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units = {
      {{"ms", second / 1000}, {"s", second}, {"m", 60 * second}, {"h", 3600 * second}, {"d", 86400 * second}}};
  const auto ns = scaled(text, units, 36500ULL * 86400 * second);
  return ns ? std::optional(duration(static_cast<std::int64_t>(*ns))) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> units = {{{"B", 1},
                                                                                       {"KB", 1000},
                                                                                       {"MB", 1000'000},
                                                                                       {"GB", 1000'000'000},
                                                                                       {"TB", 1000'000'000'000},
                                                                                       {"KiB", 1ULL << 10U},
                                                                                       {"MiB", 1ULL << 20U},
                                                                                       {"GiB", 1ULL << 30U}}};
  return scaled(text, units, 1000'000'000'000'000ULL);
}

bool is_variable_name(std::string_view text) {
  if (text.empty() || !is_letter(text.front()))
    return false;
  for (const char c : text)
    if (!is_letter(c) && !is_digit(c))
      return false;
  return true;
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > max_name_bytes || !is_letter(text.front()))
    return false;
  for (const char c : text)
    if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-')
      return false;
  return true;
}

std::string name_problem(std::string_view text, std::string_view what) {
  const std::string start = in_quotes(text) + " is no name for " + std::string(what) + ": ";
  if (text.empty())
    return start + "it is empty";
  if (text.size() > max_name_bytes)
    return start + "it is longer than 200 bytes";
  if (!is_letter(text.front()))
    return start + "a name begins with a letter or _";
  return start + "only letters, digits, _, . and - may stand in a name";
}

std::optional<std::pair<std::string, std::string>> parse_param(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return std::nullopt;
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

std::optional<std::int64_t> parse_whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size())
    return number;
  double real = 0;
  const auto read_real = std::from_chars(text.data(), text.data() + text.size(), real);
  if (read_real.ec != std::errc() || read_real.ptr != text.data() + text.size() || std::floor(real) != real ||
      std::fabs(real) > 9007199254740992.0)
    return std::nullopt;
  return static_cast<std::int64_t>(real);
}

std::string_view number_problem(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t before = i;
    while (i < text.size() && is_digit(text[i]))
      ++i;
    return i - before;
  };
  if (text.starts_with('+'))
    return "a number has no + in front";
  if (text.starts_with('.'))
    return "a digit has to stand before the point";
  if (text.starts_with('-'))
    ++i;
  const std::size_t first = i;
  const std::size_t whole = digits();
  if (whole == 0)
    return "a digit has to follow the sign";
  if (whole > 1 && text[first] == '0')
    return "a number does not begin with 0";
  if (i < text.size() && text[i] == '.' && (++i, digits() == 0))
    return "a digit has to follow the point";
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-'))
      ++i;
    if (digits() == 0)
      return "a digit has to follow the exponent's e";
  }
  return i == text.size() ? "" : "a string is written in double quotes";
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::size_t end = std::min(longest, text.size());
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
    ++end;
  return '"' + visible(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

} // namespace troupe_internal::config
