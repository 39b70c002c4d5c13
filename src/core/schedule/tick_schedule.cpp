// Goes from period to period of the zone and searches each for local times that match; no step has a fixed length, so a
// change of clocks may have any size and come at any time.
#include "core/schedule/tick_schedule.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace troupe_internal {
namespace {

constexpr std::int64_t day_minutes = 1440;
constexpr std::int64_t ns = 1'000'000'000;
// Moments in nanoseconds end in April 2262.
constexpr unix_seconds first_moment = 0;
constexpr unix_seconds last_moment = 9'214'646'399; // 2261-12-31T23:59:59Z

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return a / b + (a % b > 0 ? 1 : 0);
}

unix_seconds first_second_after(timestamp t) {
  return floor_div(to_unix_ns(t), ns) + 1;
}
unix_seconds last_second_before(timestamp t) {
  return ceil_div(to_unix_ns(t), ns) - 1;
}
timestamp moment(unix_seconds t) {
  return from_unix_ns(t * ns);
}

/// The lowest and the highest bit from one on, or up to one; -1: there is none.
int lowest_from(std::uint64_t bits, unsigned from) {
  const auto left = from > 63 ? 0 : bits >> from << from;
  return left == 0 ? -1 : std::countr_zero(left);
}
int highest_to(std::uint64_t bits, unsigned to) {
  const auto left = to >= 63 ? bits : bits & ((std::uint64_t(1) << (to + 1)) - 1);
  return left == 0 ? -1 : 63 - std::countl_zero(left);
}

/// The first minute of a day that matches, from one on.
std::optional<unsigned> first_in_day(const cron_expression& one, unsigned from) {
  int hour = lowest_from(one.hours(), from / 60);
  if (hour < 0)
    return std::nullopt;
  int minute = lowest_from(one.minutes(), static_cast<unsigned>(hour) == from / 60 ? from % 60 : 0);
  if (minute < 0) {
    hour = lowest_from(one.hours(), from / 60 + 1);
    minute = lowest_from(one.minutes(), 0);
  }
  return hour < 0 ? std::nullopt : std::optional(static_cast<unsigned>(hour * 60 + minute));
}

/// The last minute of a day that matches, up to one.
std::optional<unsigned> last_in_day(const cron_expression& one, unsigned to) {
  int hour = highest_to(one.hours(), to / 60);
  if (hour < 0)
    return std::nullopt;
  int minute = highest_to(one.minutes(), static_cast<unsigned>(hour) == to / 60 ? to % 60 : 59);
  if (minute < 0) {
    hour = to < 60 ? -1 : highest_to(one.hours(), to / 60 - 1);
    minute = highest_to(one.minutes(), 59);
  }
  return hour < 0 ? std::nullopt : std::optional(static_cast<unsigned>(hour * 60 + minute));
}

/// The local times in which an expression may match during a period: all that clocks show, or those that are new.
struct range {
  unix_seconds from, limit;
};
range times_for(const cron_expression& one, const local_span& span) {
  const auto& [begin, end, offset, daylight, abbreviation] = span.period;
  const auto from = begin + offset;
  return {one.every_hour() ? from : std::max(from, span.reached), end + offset};
}

} // namespace

cron_schedule::cron_schedule(std::vector<cron_expression> expressions, std::shared_ptr<const time_zone> zone,
                             std::vector<std::chrono::sys_days> not_on)
    : expressions_(std::move(expressions)), zone_(std::move(zone)), not_on_(std::move(not_on)) {
  TROUPE_CHECK(!expressions_.empty() && zone_ != nullptr, "a schedule has an expression and a zone");
  std::sort(not_on_.begin(), not_on_.end());
}

bool cron_schedule::excluded(std::chrono::sys_days day) const {
  return !not_on_.empty() && std::binary_search(not_on_.begin(), not_on_.end(), day);
}

bool cron_schedule::on_day(const cron_expression& one, std::int64_t day) const {
  const std::chrono::sys_days date{std::chrono::days(day)};
  return one.on_day(date) && !excluded(date);
}

/// The first local time in [from, limit) that matches.
std::optional<unix_seconds> cron_schedule::first_match(const cron_expression& one, unix_seconds from,
                                                       unix_seconds limit) const {
  const auto first = ceil_div(from, 60);
  const auto end = ceil_div(limit, 60); // minutes before it begin before the limit
  for (auto day = floor_div(first, day_minutes); day * day_minutes < end; ++day) {
    if (!on_day(one, day))
      continue;
    const auto begin = std::max(first, day * day_minutes);
    if (const auto found = first_in_day(one, static_cast<unsigned>(begin - day * day_minutes))) {
      const auto minute = day * day_minutes + *found;
      return minute < end ? std::optional(minute * 60) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// The last local time in [from, limit) that matches.
std::optional<unix_seconds> cron_schedule::last_match(const cron_expression& one, unix_seconds from,
                                                      unix_seconds limit) const {
  const auto first = ceil_div(from, 60);
  const auto last = ceil_div(limit, 60) - 1;
  for (auto day = floor_div(last, day_minutes); (day + 1) * day_minutes > first; --day) {
    if (!on_day(one, day))
      continue;
    const auto until = std::min(last, (day + 1) * day_minutes - 1);
    if (const auto found = last_in_day(one, static_cast<unsigned>(until - day * day_minutes))) {
      const auto minute = day * day_minutes + *found;
      return minute >= first ? std::optional(minute * 60) : std::nullopt;
    }
  }
  return std::nullopt;
}

local_span cron_schedule::span_at(unix_seconds moment) const {
  local_span span{zone_->at(moment), std::numeric_limits<unix_seconds>::min()};
  // An earlier period can only have reached further if it ended less than the largest difference of offsets before.
  const auto far = span.period.begin - 2 * std::int64_t(max_zone_offset);
  for (auto at = span.period.begin; at > far && at > time_zone::beginning;) {
    const auto earlier = zone_->at(at - 1);
    span.reached = std::max(span.reached, earlier.end + earlier.offset);
    at = earlier.begin;
  }
  return span;
}

/// Whether a time was skipped at the beginning of the period that an expression of certain hours names.
bool cron_schedule::skipped_any(const local_span& span) const {
  const auto shown = span.period.begin + span.period.offset;
  if (span.period.begin == time_zone::beginning || span.reached >= shown)
    return false;
  return std::any_of(expressions_.begin(), expressions_.end(), [&](const auto& one) {
    return !one.every_hour() && first_match(one, span.reached, shown).has_value();
  });
}

std::optional<timestamp> cron_schedule::next(timestamp after) const {
  auto from = std::max(first_second_after(after), first_moment);
  while (from <= last_moment) {
    const auto span = span_at(from);
    if (span.period.begin >= from && skipped_any(span))
      return moment(span.period.begin);
    const auto offset = span.period.offset;
    std::optional<unix_seconds> best;
    for (const auto& one : expressions_) {
      const auto times = times_for(one, span);
      const auto limit = std::min(times.limit, (best ? *best : last_moment + 1) + offset);
      if (const auto found = first_match(one, std::max(times.from, from + offset), limit))
        best = *found - offset;
    }
    if (best)
      return moment(*best);
    from = span.period.end;
  }
  return std::nullopt;
}

std::optional<timestamp> cron_schedule::previous(timestamp before) const {
  auto to = std::min(last_second_before(before), last_moment);
  while (to >= first_moment) {
    const auto span = span_at(to);
    const auto offset = span.period.offset;
    std::optional<unix_seconds> best;
    for (const auto& one : expressions_) {
      const auto times = times_for(one, span);
      const auto from = std::max(times.from, (best ? *best + 1 : first_moment) + offset);
      if (const auto found = last_match(one, from, std::min(times.limit, to + 1 + offset)))
        best = *found - offset;
    }
    if (best)
      return moment(*best);
    if (span.period.begin >= first_moment && skipped_any(span))
      return moment(span.period.begin);
    to = span.period.begin - 1;
  }
  return std::nullopt;
}

/// The ticks at local times in [from, limit), where each hour is a set of minutes.
std::uint64_t cron_schedule::count_in(const local_span& span, unix_seconds from, unix_seconds limit) const {
  std::uint64_t count = 0;
  const auto end = ceil_div(limit, 60);
  for (auto day = floor_div(from, day_minutes * 60); day * day_minutes < end; ++day) {
    std::array<std::uint64_t, 24> minutes{};
    for (const auto& one : expressions_) {
      if (!on_day(one, day))
        continue;
      const auto first = ceil_div(std::max(times_for(one, span).from, from), 60);
      for (unsigned hour = 0; hour < 24; ++hour) {
        const auto begin = day * day_minutes + hour * 60;
        if ((one.hours() >> hour & 1U) == 0 || begin + 60 <= first || begin >= end)
          continue;
        auto set = one.minutes();
        if (first > begin)
          set = set >> (first - begin) << (first - begin);
        if (end < begin + 60)
          set &= (std::uint64_t(1) << (end - begin)) - 1;
        minutes[hour] |= set;
      }
    }
    for (const auto set : minutes)
      count += static_cast<std::uint64_t>(std::popcount(set));
  }
  return count;
}

std::uint64_t cron_schedule::count(timestamp after, timestamp until) const {
  auto from = std::max(first_second_after(after), first_moment);
  const auto end = std::min(floor_div(to_unix_ns(until), ns) + 1, last_moment + 1);
  std::uint64_t count = 0;
  while (from < end) {
    const auto span = span_at(from);
    const auto offset = span.period.offset;
    count += count_in(span, from + offset, std::min(span.period.end, end) + offset);
    if (span.period.begin >= from && skipped_any(span)) {
      const auto shown = span.period.begin + offset;
      const bool is_tick = count_in(span, shown, shown + 1) != 0;
      count += is_tick ? 0 : 1;
    }
    from = span.period.end;
  }
  return count;
}

std::optional<timestamp> interval_schedule::next(timestamp after) const {
  const auto from = std::max(first_second_after(after), first_moment);
  const auto tick = ceil_div(from - offset.count(), every.count()) * every.count() + offset.count();
  return tick <= last_moment ? std::optional(moment(tick)) : std::nullopt;
}

std::optional<timestamp> interval_schedule::previous(timestamp before) const {
  const auto to = std::min(last_second_before(before), last_moment);
  const auto tick = floor_div(to - offset.count(), every.count()) * every.count() + offset.count();
  return tick >= first_moment ? std::optional(moment(tick)) : std::nullopt;
}

std::uint64_t interval_schedule::count(timestamp after, timestamp until) const {
  const auto last = previous(until + duration(1));
  const auto first = next(after);
  if (!first || !last || *first > *last)
    return 0;
  return static_cast<std::uint64_t>((to_unix_ns(*last) - to_unix_ns(*first)) / (every.count() * ns)) + 1;
}

} // namespace troupe_internal
