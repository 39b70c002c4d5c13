// Cron expressions of five fields: what they say, and on which days they match. Knows no zone and no clock; when an
// expression fires is cron_schedule's.
//
//   minute hour day-of-month month day-of-week
//   field  = item { "," item }
//   item   = "*" | value | value "-" value, each with or without "/" step; value "/" step means value-max/step, where
//            the last day of the week is Sunday (7)
//   also, for the day of the month: L (the last), L-n (n days before it), nW (the weekday nearest to the n-th), LW
//         for the day of the week:  nL or FRIL (the last one of the month), n#k (the k-th one of the month)
//   names  = JAN to DEC, SUN to SAT, in upper or lower case; Sunday is 0 and 7
//   macros = @yearly @annually @monthly @weekly @daily @midnight @hourly
#pragma once

#include "base/result.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

/// One expression. Bits are numbered by the values they stand for.
class cron_expression {
public:
  /// invalid_input with what is wrong and the way out; says which dialect the text seems to be of, and refuses dates
  /// that never come (31 February).
  [[nodiscard]] static result<cron_expression> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::uint64_t minutes() const { return minutes_; }
  [[nodiscard]] std::uint32_t hours() const { return hours_; }
  [[nodiscard]] bool in_month(unsigned month) const { return (months_ >> month & 1U) != 0; }
  /// Whether some time of that day matches. If one of the two day fields begins with "*" both have to match, else
  /// either (the rule of Vixie cron).
  [[nodiscard]] bool on_day(std::chrono::sys_days day) const;
  /// All 24 hours match: it follows real time, not the names that clocks give it.
  [[nodiscard]] bool every_hour() const { return hours_ == 0xFFFFFFU; }
  /// Both day fields leave days out: the combination that is most often misread.
  [[nodiscard]] bool restricts_both_days() const { return !all_days_of_month() && !all_days_of_week(); }
  /// Whether both day fields have to match.
  [[nodiscard]] bool days_must_agree() const { return month_star_ || week_star_; }

  friend bool operator==(const cron_expression&, const cron_expression&) = default;

private:
  friend class cron_reader;

  [[nodiscard]] bool all_days_of_month() const { return days_ == 0xFFFFFFFEU; }
  [[nodiscard]] bool all_days_of_week() const { return weekdays_ == 0x7FU; }
  [[nodiscard]] bool matches_day_of_month(std::chrono::year_month_day date) const;
  [[nodiscard]] bool matches_day_of_week(std::chrono::year_month_day date) const;
  [[nodiscard]] bool ever_matches() const;

  std::string text_;
  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0;
  std::uint16_t months_ = 0;
  std::uint32_t days_ = 0;                    // of the month
  std::uint32_t from_last_ = 0;               // bit n: n days before the last
  std::uint32_t near_ = 0;                    // bit n: the weekday nearest to the n-th
  bool last_weekday_ = false;                 // LW
  std::uint8_t weekdays_ = 0;                 // bit 0: Sunday
  std::uint8_t last_of_week_ = 0;             // bit d: the last d of the month
  std::array<std::uint8_t, 6> nth_of_week_{}; // [k] bit d: the k-th d of the month
  bool month_star_ = false, week_star_ = false;
};

} // namespace troupe_internal
