// Cron expressions, TZ strings and zone files, and the ticks that follow: whatever they are, ticks ascend and lead
// back.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "core/schedule/tick_schedule.hpp"
#include "core/schedule/tzif.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

std::shared_ptr<const time_zone> zone_from(std::string_view rule, std::string_view file) {
  if (!rule.empty()) {
    auto read = read_tz_string(rule);
    if (!read)
      return nullptr;
    return std::make_shared<const time_zone>("rule", std::vector<zone_type>{read->standard},
                                             std::vector<time_zone::change>{}, *read);
  }
  auto read = read_tzif("file", file);
  return read ? std::make_shared<const time_zone>(std::move(*read)) : nullptr;
}

/// Periods meet and follow each other.
void check_periods(const time_zone& zone, unix_seconds from) {
  auto at = from;
  for (int i = 0; i < 20; ++i) {
    const auto period = zone.at(at);
    FUZZ_CHECK(period.begin <= at && at < period.end, "a period holds its moment");
    FUZZ_CHECK(period.offset >= -max_zone_offset && period.offset <= max_zone_offset, "offsets are bounded");
    if (period.end == time_zone::forever)
      break;
    FUZZ_CHECK(zone.at(period.end - 1).begin == period.begin, "a period is one");
    FUZZ_CHECK(zone.at(period.end).begin == period.end, "the next period begins at its end");
    at = period.end;
  }
}

void check_ticks(const cron_schedule& schedule, timestamp start) {
  auto at = start;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const auto next = schedule.next(at);
    if (!next)
      return;
    FUZZ_CHECK(*next > at, "the next tick is later");
    FUZZ_CHECK(schedule.previous(*next + duration(1)) == next, "a tick is the last before the moment after it");
    FUZZ_CHECK(i == 1 || schedule.previous(*next) == at, "the tick before the next is this one");
    FUZZ_CHECK(*next - start > std::chrono::hours(24 * 4000) || schedule.count(start, *next) == i, "ticks are counted");
    at = *next;
  }
}

} // namespace

void fuzz_calendar(std::string_view bytes) {
  input in(bytes);
  const auto text = in.text('\n');
  const auto rule = in.text('\n');
  const unix_seconds moment = in.number();
  const auto zone = zone_from(rule, in.rest());
  if (zone) {
    check_periods(*zone, moment);
    check_periods(*zone, (moment - (std::int64_t(1) << 31)) * 500); // far outside of any calendar
    static_cast<void>(zone->changes_after(moment));
  }
  auto expression = cron_expression::parse(text);
  if (!expression) {
    FUZZ_CHECK(!expression.error().message.empty(), text);
    return;
  }
  const auto again = cron_expression::parse(text);
  FUZZ_CHECK(again && *again == *expression, text);
  if (zone)
    check_ticks({{std::move(*expression)}, zone}, from_unix_ns(moment * 1'000'000'000));
}

} // namespace troupe_internal::fuzz
