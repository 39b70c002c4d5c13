// Whether a day matches, computed from the calendar; a day field is a handful of bits and four special forms.
#include "core/schedule/cron.hpp"

namespace troupe_internal {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

unsigned last_day(year_month_day date) {
  return static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
}

unsigned weekday_of(year_month_day date, unsigned day) {
  return std::chrono::weekday(sys_days(date.year() / date.month() / std::chrono::day(day))).c_encoding();
}

/// The weekday (Monday to Friday) of the same month that is nearest to this day.
unsigned nearest_weekday(year_month_day date, unsigned day) {
  constexpr unsigned sunday = 0;
  constexpr unsigned saturday = 6;
  const auto which = weekday_of(date, day);
  if (which == saturday)
    return day == 1 ? 3 : day - 1;
  if (which == sunday)
    return day == last_day(date) ? day - 2 : day + 1;
  return day;
}

} // namespace

bool cron_expression::matches_day_of_month(year_month_day date) const {
  const auto day = static_cast<unsigned>(date.day());
  if ((days_ >> day & 1U) != 0)
    return true;
  if (from_last_ == 0 && near_ == 0 && !last_weekday_)
    return false;
  const auto last = last_day(date);
  if ((from_last_ >> (last - day) & 1U) != 0)
    return true;
  for (unsigned n = 1; n <= last; ++n)
    if ((near_ >> n & 1U) != 0 && nearest_weekday(date, n) == day)
      return true;
  return last_weekday_ && nearest_weekday(date, last) == day;
}

bool cron_expression::matches_day_of_week(year_month_day date) const {
  const auto day = static_cast<unsigned>(date.day());
  const auto which = weekday_of(date, day);
  return (weekdays_ >> which & 1U) != 0 || (nth_of_week_[(day - 1) / 7 + 1] >> which & 1U) != 0 ||
         ((last_of_week_ >> which & 1U) != 0 && day + 7 > last_day(date));
}

bool cron_expression::on_day(sys_days day) const {
  const year_month_day date(day);
  if (!in_month(static_cast<unsigned>(date.month())))
    return false;
  const bool of_month = all_days_of_month() || matches_day_of_month(date);
  if (days_must_agree())
    return of_month && (all_days_of_week() || matches_day_of_week(date));
  return of_month || matches_day_of_week(date);
}

bool cron_expression::ever_matches() const {
  // The calendar repeats after 400 years, weekdays included.
  constexpr int days_of_400_years = 146'097;
  constexpr sys_days first = std::chrono::year(2000) / 1 / 1;
  for (int i = 0; i < days_of_400_years; ++i)
    if (on_day(first + std::chrono::days(i)))
      return true;
  return false;
}

} // namespace troupe_internal
