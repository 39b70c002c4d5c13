// Finds the period around a moment: by search in the list, or from the dates of the years around it by the rule.
#include "core/schedule/time_zone.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {
namespace {

constexpr std::int64_t day_seconds = 86400;

std::int64_t days_before(std::int32_t year) {
  return std::chrono::sys_days(std::chrono::year(year) / 1 / 1).time_since_epoch().count();
}

std::int32_t year_of(unix_seconds moment) {
  return static_cast<std::int32_t>(static_cast<int>(std::chrono::year_month_day(day_of(moment)).year()));
}

} // namespace

std::chrono::sys_days day_of(unix_seconds local) {
  return std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(local)));
}

unix_seconds moment_of(const rule_date& date, std::int32_t year, std::int32_t offset) {
  using namespace std::chrono;
  std::int64_t day = 0;
  switch (date.kind) {
  case rule_date::form::julian:
    day = days_before(year) + date.day - 1;
    if (std::chrono::year(year).is_leap() && date.day > 59) // 29 February has no number
      ++day;
    break;
  case rule_date::form::day_of_year:
    day = days_before(year) + date.day;
    break;
  case rule_date::form::month_week_day: {
    const auto in = std::chrono::year(year) / month(static_cast<unsigned>(date.month));
    const weekday wanted(static_cast<unsigned>(date.day));
    const sys_days found =
        date.week == 5 ? sys_days(in / wanted[last]) : sys_days(in / wanted[static_cast<unsigned>(date.week)]);
    day = found.time_since_epoch().count();
    break;
  }
  }
  return day * day_seconds + date.seconds - offset;
}

time_zone::time_zone(std::string name, std::vector<zone_type> types, std::vector<change> changes,
                     std::optional<zone_rule> rule)
    : name_(std::move(name)), types_(std::move(types)), changes_(std::move(changes)), rule_(std::move(rule)) {
  TROUPE_CHECK(!types_.empty(), "a zone shows some time");
  for (const auto& one : changes_)
    TROUPE_CHECK(one.type < types_.size(), "a change leads to a type of the zone");
}

std::shared_ptr<const time_zone> time_zone::utc() {
  return std::make_shared<const time_zone>("UTC", std::vector<zone_type>{{0, false, "UTC"}}, std::vector<change>{},
                                           std::nullopt);
}

zone_period time_zone::at(unix_seconds moment) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), moment,
                                      [](unix_seconds wanted, const change& one) { return wanted < one.at; });
  if (after == changes_.end() && rule_)
    return by_rule(moment, changes_.empty() ? beginning : changes_.back().at);
  const auto begin = after == changes_.begin() ? beginning : std::prev(after)->at;
  const auto& type = after == changes_.begin() ? types_.front() : types_[std::prev(after)->type];
  return of_type(type, begin, after == changes_.end() ? forever : after->at);
}

zone_period time_zone::by_rule(unix_seconds moment, unix_seconds from) const {
  if (!rule_->daylight)
    return of_type(rule_->standard, from, forever);
  const auto& saving = *rule_->daylight;
  // The standard library's calendar ends with the year 32767; before and after these moments it is standard time.
  constexpr unix_seconds first = -900'000'000'000;
  constexpr unix_seconds limit = 900'000'000'000;
  if (moment < first)
    return of_type(rule_->standard, from, first);
  if (moment >= limit)
    return of_type(rule_->standard, std::max(limit, from), forever);
  from = std::max(from, first);
  const auto year = year_of(moment);
  // Daylight saving lasts from a year's start to that year's end, or the next one's if that year's comes first; but not
  // beyond the next start: a zone may save daylight always.
  constexpr std::size_t years = 5;
  std::array<unix_seconds, years> starts{}, ends{};
  const auto start_of = [&](std::int32_t which) { return moment_of(saving.start, which, rule_->standard.offset); };
  const auto end_of = [&](std::int32_t which) { return moment_of(saving.end, which, saving.type.offset); };
  for (std::size_t i = 0; i < years; ++i) {
    const auto which = year - 2 + static_cast<std::int32_t>(i);
    starts[i] = start_of(which);
    const auto end = starts[i] < end_of(which) ? end_of(which) : end_of(which + 1);
    ends[i] = std::max(starts[i], std::min(end, start_of(which + 1)));
  }
  std::size_t last = years - 1; // the last start that is not after the moment
  while (last > 0 && starts[last] > moment)
    --last;
  TROUPE_CHECK(last > 0 && last + 1 < years, "a moment lies near its own year's dates");
  if (moment < ends[last])
    return of_type(saving.type, std::max(starts[last], from), std::min(ends[last], limit));
  return of_type(rule_->standard, std::max(ends[last], from), std::min(starts[last + 1], limit));
}

bool time_zone::changes_after(unix_seconds moment) const {
  const auto now = at(moment);
  auto period = now;
  // A rule comes to both of its offsets within two years; the list ends.
  for (std::size_t i = 0; i < changes_.size() + 6 && period.end < forever; ++i) {
    period = at(period.end);
    if (period.offset != now.offset)
      return true;
  }
  return false;
}

} // namespace troupe_internal
