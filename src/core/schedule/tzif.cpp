// Each count of a header is checked against the bytes that are there before anything is read by it.
#include "core/schedule/tzif.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace troupe_internal {
namespace {

constexpr std::size_t header_bytes = 44;

error broken(std::string what) {
  return fail(error_code::invalid_input, std::move(what));
}

/// A big-endian number of two's complement.
std::int64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0 ? ~std::uint64_t(0) : 0;
  for (std::size_t i = 0; i < width; ++i)
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<std::int64_t>(value);
}

struct header {
  char version = '\0';
  std::uint64_t utc_flags = 0, standard_flags = 0, leaps = 0, changes = 0, types = 0, letters = 0;

  /// Of the block behind the header.
  [[nodiscard]] std::uint64_t block_bytes(std::uint64_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6 + letters + leaps * (time_bytes + 4) + standard_flags + utc_flags;
  }
};

result<header> read_header(std::string_view bytes) {
  if (bytes.size() < header_bytes)
    return broken("it ends within a header");
  if (!bytes.starts_with("TZif"))
    return broken("it does not begin with \"TZif\"");
  const auto count = [&](std::size_t i) {
    return static_cast<std::uint64_t>(number_at(bytes, 20 + 4 * i, 4)) & 0xFFFFFFFFU;
  };
  return header{bytes[4], count(0), count(1), count(2), count(3), count(4), count(5)};
}

result<std::vector<zone_type>> read_types(std::string_view records, std::string_view letters) {
  std::vector<zone_type> types;
  for (std::size_t at = 0; at < records.size(); at += 6) {
    zone_type type;
    const auto offset = number_at(records, at, 4);
    if (offset < -max_zone_offset || offset > max_zone_offset)
      return broken("an offset from UTC is more than 26 hours");
    type.offset = static_cast<std::int32_t>(offset);
    type.daylight = records[at + 4] != 0;
    const auto first = static_cast<unsigned char>(records[at + 5]);
    const auto end = first < letters.size() ? letters.find('\0', first) : std::string_view::npos;
    if (end == std::string_view::npos)
      return broken("an abbreviation has no end");
    type.abbreviation = letters.substr(first, end - first);
    types.push_back(std::move(type));
  }
  return types;
}

/// Takes pieces of a TZ string from its beginning.
class tz_scanner {
public:
  explicit tz_scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  bool skip(char c) {
    const bool found = !rest_.empty() && rest_.front() == c;
    rest_.remove_prefix(found ? 1 : 0);
    return found;
  }

  std::optional<std::string> name() {
    const bool quoted = skip('<');
    std::size_t length = 0;
    while (length < rest_.size() && may_be_in_name(rest_[length], quoted))
      ++length;
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    if (length < 3 || length > 30 || (quoted && !skip('>')))
      return std::nullopt;
    return text;
  }

  std::optional<std::int32_t> number(std::int32_t least, std::int32_t most) {
    std::int32_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && digits < 4 && is_digit(rest_[digits]); ++digits)
      value = value * 10 + (rest_[digits] - '0');
    rest_.remove_prefix(digits);
    return digits > 0 && value >= least && value <= most ? std::optional(value) : std::nullopt;
  }

  /// [+-]hh[:mm[:ss]] in seconds.
  std::optional<std::int32_t> time(std::int32_t most_hours) {
    const bool negative = skip('-');
    if (!negative)
      skip('+');
    const auto hours = number(0, most_hours);
    if (!hours)
      return std::nullopt;
    std::int32_t seconds = *hours * 3600;
    for (const std::int32_t unit : {60, 1}) {
      if (!skip(':'))
        break;
      const auto part = number(0, 59);
      if (!part)
        return std::nullopt;
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }

  /// ,date[/time]
  std::optional<rule_date> date() {
    rule_date date;
    if (!skip(','))
      return std::nullopt;
    std::optional<std::int32_t> part;
    if (skip('M')) {
      date.kind = rule_date::form::month_week_day;
      if (!(part = number(1, 12)) || !skip('.'))
        return std::nullopt;
      date.month = *part;
      if (!(part = number(1, 5)) || !skip('.'))
        return std::nullopt;
      date.week = *part;
      part = number(0, 6);
    } else if (skip('J')) {
      date.kind = rule_date::form::julian;
      part = number(1, 365);
    } else {
      part = number(0, 365);
    }
    if (!part)
      return std::nullopt;
    date.day = *part;
    if (skip('/')) {
      const auto seconds = time(167);
      if (!seconds)
        return std::nullopt;
      date.seconds = *seconds;
    }
    return date;
  }

private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool may_be_in_name(char c, bool quoted) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (quoted && (is_digit(c) || c == '+' || c == '-'));
  }

  std::string_view rest_;
};

} // namespace

result<zone_rule> read_tz_string(std::string_view text) {
  const auto wrong = [&](const char* where) { return broken("its rule has no " + std::string(where)); };
  tz_scanner scanner(text);
  zone_rule rule;
  const auto standard = scanner.name();
  const auto offset = standard ? scanner.time(24) : std::nullopt;
  if (!offset)
    return wrong("standard time and offset");
  rule.standard = {-*offset, false, *standard};
  if (scanner.done())
    return rule;
  zone_rule::saving saving;
  const auto name = scanner.name();
  if (!name)
    return wrong("name for daylight saving time");
  saving.type = {rule.standard.offset + 3600, true, *name};
  if (!scanner.skip(',')) {
    const auto own = scanner.time(24);
    if (!own || !scanner.skip(','))
      return wrong("dates for daylight saving time");
    saving.type.offset = -*own;
  }
  // The comma is part of a date.
  const auto start_of_dates = text.find(',');
  tz_scanner dates(text.substr(start_of_dates));
  const auto start = dates.date();
  const auto end = start ? dates.date() : std::nullopt;
  if (!end || !dates.done())
    return wrong("valid dates for daylight saving time");
  saving.start = *start;
  saving.end = *end;
  rule.daylight = std::move(saving);
  return rule;
}

result<time_zone> read_tzif(std::string name, std::string_view bytes) {
  if (bytes.size() > max_tzif_bytes)
    return broken("it is larger than " + std::to_string(max_tzif_bytes / 1024) + " KiB");
  const auto first = read_header(bytes);
  if (!first)
    return first.error();
  if (first->version < '2')
    return broken("it is of version 1, which ends in 2038; version 2 or later is needed");
  if (first->block_bytes(4) > bytes.size() - header_bytes)
    return broken("it ends within its first block");
  bytes.remove_prefix(header_bytes + first->block_bytes(4));
  const auto head = read_header(bytes);
  if (!head)
    return head.error();
  if (head->block_bytes(8) > bytes.size() - header_bytes)
    return broken("it ends within its second block");
  if (head->leaps != 0)
    return broken("it counts leap seconds, which the system's clock does not");
  if (head->types == 0 || head->types > 256)
    return broken("it has " + std::to_string(head->types) + " kinds of local time");

  auto rest = bytes.substr(header_bytes);
  const auto take = [&](std::uint64_t size) {
    const auto part = rest.substr(0, size);
    rest.remove_prefix(size);
    return part;
  };
  const auto times = take(head->changes * 8);
  const auto kinds = take(head->changes);
  const auto records = take(head->types * 6);
  auto types = read_types(records, take(head->letters));
  if (!types)
    return types.error();
  take(head->standard_flags + head->utc_flags);
  if (rest.size() < 2 || rest.front() != '\n' || rest.back() != '\n')
    return broken("its footer has no end");

  std::vector<time_zone::change> changes;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto at = number_at(times, i * 8, 8);
    const auto kind = static_cast<unsigned char>(kinds[i]);
    if (kind >= types->size())
      return broken("a change leads to a kind of local time that it does not list");
    if (!changes.empty() && at <= changes.back().at)
      return broken("its changes are not in ascending order");
    if (at <= time_zone::beginning || at >= time_zone::forever)
      return broken("a change lies more than 30 billion years from 1970");
    changes.push_back({at, kind});
  }
  const auto footer = rest.substr(1, rest.size() - 2);
  if (footer.empty())
    return time_zone(std::move(name), std::move(*types), std::move(changes), std::nullopt);
  auto rule = read_tz_string(footer);
  if (!rule)
    return rule.error();
  return time_zone(std::move(name), std::move(*types), std::move(changes), std::move(*rule));
}

} // namespace troupe_internal
