// What a zone's clocks show at each moment: a list of changes, and a rule for the time after the last of them. Knows no
// files, and nothing of the host's own zone.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// How far a zone may be from UTC, in seconds: 26 hours (RFC 8536).
inline constexpr std::int32_t max_zone_offset = 26 * 3600;

/// What clocks show during some period.
struct zone_type {
  std::int32_t offset = 0; ///< seconds east of UTC: local = UTC + offset
  bool daylight = false;
  std::string abbreviation;
  friend bool operator==(const zone_type&, const zone_type&) = default;
};

/// A date that every year has, and a time on it, as POSIX TZ strings write them.
struct rule_date {
  enum class form : std::uint8_t {
    julian,        ///< Jn: `day` is 1 to 365, and 29 February is never counted
    day_of_year,   ///< n: `day` is 0 to 365, and 29 February is counted
    month_week_day ///< Mm.w.d: weekday `day` (0 = Sunday) of week `week` (5 = the last) of `month`
  };
  form kind = form::day_of_year;
  std::int32_t month = 0, week = 0, day = 0;
  std::int32_t seconds = 2 * 3600; ///< after midnight, local time before the change; may be negative or beyond a day
  friend bool operator==(const rule_date&, const rule_date&) = default;
};

/// The rule for all time after the last change that is listed.
struct zone_rule {
  struct saving {
    zone_type type;
    rule_date start, end;
    friend bool operator==(const saving&, const saving&) = default;
  };
  zone_type standard;
  std::optional<saving> daylight;
  friend bool operator==(const zone_rule&, const zone_rule&) = default;
};

/// Seconds of the Unix epoch, in UTC or as a zone's clocks show them.
using unix_seconds = std::int64_t;

/// A period without a change. Two periods that meet may have the same offset.
struct zone_period {
  unix_seconds begin = 0; ///< UTC; time_zone::beginning if there is no earlier change
  unix_seconds end = 0;   ///< UTC, the first second that is not in it; time_zone::forever if there is no later change
  std::int32_t offset = 0;
  bool daylight = false;
  std::string_view abbreviation; ///< valid as long as the zone
};

/// A zone. Never changes, so any thread may read it.
class time_zone {
public:
  static constexpr unix_seconds beginning = -(std::int64_t(1) << 60);
  static constexpr unix_seconds forever = std::int64_t(1) << 60;

  struct change {
    unix_seconds at = 0;
    std::size_t type = 0; ///< index into the types
  };

  /// `changes` are in ascending order; `types` has at least one entry, and the first holds before the first change.
  /// Without a rule the last type holds permanently.
  time_zone(std::string name, std::vector<zone_type> types, std::vector<change> changes, std::optional<zone_rule> rule);

  [[nodiscard]] static std::shared_ptr<const time_zone> utc();

  [[nodiscard]] const std::string& name() const { return name_; }
  /// The period that the moment lies in.
  [[nodiscard]] zone_period at(unix_seconds moment) const;
  /// Whether the offset is another one at some moment after this one.
  [[nodiscard]] bool changes_after(unix_seconds moment) const;

private:
  [[nodiscard]] zone_period by_rule(unix_seconds moment, unix_seconds from) const;
  [[nodiscard]] zone_period of_type(const zone_type& type, unix_seconds begin, unix_seconds end) const {
    return {begin, end, type.offset, type.daylight, type.abbreviation};
  }

  std::string name_;
  std::vector<zone_type> types_;
  std::vector<change> changes_;
  std::optional<zone_rule> rule_;
};

/// The moment, in UTC, at which the rule's date of that year is reached by clocks with this offset.
[[nodiscard]] unix_seconds moment_of(const rule_date& date, std::int32_t year, std::int32_t offset);

/// The day on which a local time lies, and what its clock shows.
[[nodiscard]] std::chrono::sys_days day_of(unix_seconds local);

} // namespace troupe_internal
