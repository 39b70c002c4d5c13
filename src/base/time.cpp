// Moments and spans as text.
#include "base/time.hpp"

#include <cstdio>

namespace troupe_internal {

std::string to_rfc3339(timestamp t) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(t);
  const auto day = floor<days>(ms);
  const year_month_day date{day};
  const hh_mm_ss time{ms - day};
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return buffer;
}

std::optional<timestamp> parse_moment(std::string_view text) {
  bool good = true;
  const auto take = [&](std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text.empty() || text.front() < '0' || text.front() > '9') {
        good = false;
        return least;
      }
      value = value * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    good = good && value >= least && value <= most;
    return value;
  };
  const auto skip = [&](char c) {
    const bool there = !text.empty() && text.front() == c;
    text.remove_prefix(there ? 1 : 0);
    return there;
  };
  using namespace std::chrono;
  const int written_year = take(4, 1970, 2261);
  good = skip('-') && good;
  const int written_month = take(2, 1, 12);
  good = skip('-') && good;
  const auto date = year(written_year) / written_month / take(2, 1, 31);
  if (!good || !date.ok())
    return std::nullopt;
  const timestamp day = sys_days(date);
  if (text.empty())
    return day;
  good = skip('T') || skip(' ');
  auto time = hours(take(2, 0, 23)) + seconds(0);
  good = skip(':') && good;
  time += minutes(take(2, 0, 59));
  if (skip(':'))
    time += seconds(take(2, 0, 59));
  if (good && !text.empty() && !skip('Z')) {
    const bool west = skip('-');
    good = west || skip('+');
    auto offset = hours(take(2, 0, 23)) + minutes(0);
    skip(':');
    offset += minutes(take(2, 0, 59));
    time -= west ? -offset : offset;
  }
  return good && text.empty() ? std::optional(day + time) : std::nullopt;
}

std::string to_human(duration d) {
  using namespace std::chrono;
  const auto ms = duration_cast<milliseconds>(d).count();
  const auto s = ms / 1000;
  char buffer[64];
  if (ms < 1000)
    std::snprintf(buffer, sizeof buffer, "%ldms", static_cast<long>(ms));
  else if (s < 60)
    std::snprintf(buffer, sizeof buffer, "%ld.%lds", static_cast<long>(s), static_cast<long>(ms % 1000 / 100));
  else if (s < 3600)
    std::snprintf(buffer, sizeof buffer, "%ldm%02lds", static_cast<long>(s / 60), static_cast<long>(s % 60));
  else if (s < 86400)
    std::snprintf(buffer, sizeof buffer, "%ldh%02ldm", static_cast<long>(s / 3600), static_cast<long>(s % 3600 / 60));
  else
    std::snprintf(buffer, sizeof buffer, "%ldd%02ldh", static_cast<long>(s / 86400),
                  static_cast<long>(s % 86400 / 3600));
  return buffer;
}

} // namespace troupe_internal
