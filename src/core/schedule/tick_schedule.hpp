// When a schedule fires: cron expressions in a zone, or an interval. Pure: moments are handed in. Knows nothing of
// triggers, of jitter and of what a tick starts.
//
// A tick is a moment in UTC, and that moment is its identity. How local times become moments depends on the hours of
// the expression, not on its spelling:
//   every hour matches   it follows real time. Each matching minute that clocks show is a tick, in both passes of an
//                        hour that clocks repeat; a time that they skip is none.
//   else                 each matching local time is one tick. A time that comes twice counts the first time. All times
//                        that clocks skip at one change are one tick together, at the first moment after the change;
//                        if that moment is a tick anyway, there is just one.
#pragma once

#include "base/time.hpp"
#include "core/schedule/cron.hpp"
#include "core/schedule/time_zone.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace troupe_internal {

/// One period of a zone and the local time up to which clocks had come before it.
struct local_span {
  zone_period period;
  unix_seconds reached = 0; ///< the latest local time of all earlier periods
};

/// Ticks by one or more expressions in one zone: at each tick of any of them. Never changes; any thread may ask it.
/// Times before 1970 and after 2261 have no ticks.
class cron_schedule {
public:
  /// `not_on`: local dates without ticks, in any order. `expressions` is not empty; `zone` is not null.
  cron_schedule(std::vector<cron_expression> expressions, std::shared_ptr<const time_zone> zone,
                std::vector<std::chrono::sys_days> not_on = {});

  /// The first tick after the moment; always later than it.
  [[nodiscard]] std::optional<timestamp> next(timestamp after) const;
  /// The last tick before the moment.
  [[nodiscard]] std::optional<timestamp> previous(timestamp before) const;
  /// How many ticks there are after the one moment, up to and including the other. Takes time for each day between, not
  /// for each tick.
  [[nodiscard]] std::uint64_t count(timestamp after, timestamp until) const;

  [[nodiscard]] const std::vector<cron_expression>& expressions() const { return expressions_; }
  [[nodiscard]] const time_zone& zone() const { return *zone_; }

private:
  [[nodiscard]] bool excluded(std::chrono::sys_days day) const;
  [[nodiscard]] bool on_day(const cron_expression& one, std::int64_t day) const;
  [[nodiscard]] std::optional<unix_seconds> first_match(const cron_expression& one, unix_seconds from,
                                                        unix_seconds limit) const;
  [[nodiscard]] std::optional<unix_seconds> last_match(const cron_expression& one, unix_seconds from,
                                                       unix_seconds limit) const;
  [[nodiscard]] bool skipped_any(const local_span& span) const;
  [[nodiscard]] std::uint64_t count_in(const local_span& span, unix_seconds from, unix_seconds limit) const;
  [[nodiscard]] local_span span_at(unix_seconds moment) const;

  std::vector<cron_expression> expressions_;
  std::shared_ptr<const time_zone> zone_;
  std::vector<std::chrono::sys_days> not_on_; // sorted
};

/// Ticks at a fixed distance of elapsed time: at offset, offset + every, … counted from the Unix epoch.
struct interval_schedule {
  std::chrono::seconds every{1};  ///< at least 1 s
  std::chrono::seconds offset{0}; ///< less than `every`

  [[nodiscard]] std::optional<timestamp> next(timestamp after) const;
  [[nodiscard]] std::optional<timestamp> previous(timestamp before) const;
  [[nodiscard]] std::uint64_t count(timestamp after, timestamp until) const;
};

} // namespace troupe_internal
