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
