// What cron expressions may say, and what each mistake is answered with.
#include "core/schedule/cron.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <string>

using namespace troupe_internal;
using std::chrono::sys_days;

namespace {

cron_expression parsed(const std::string& text) {
  auto one = cron_expression::parse(text);
  INFO(text << ": " << (one ? "" : one.error().message));
  REQUIRE(one.has_value());
  return std::move(*one);
}

std::string refused(const std::string& text) {
  const auto one = cron_expression::parse(text);
  INFO(text);
  REQUIRE_FALSE(one.has_value());
  CHECK(one.error().code == error_code::invalid_input);
  return one.error().message;
}

bool says(const std::string& text, const std::string& part) {
  const auto message = refused(text);
  INFO(message);
  return message.find(part) != std::string::npos;
}

/// The days of a month that match, as "1 2 15".
std::string days_in(const std::string& text, int year, unsigned month) {
  const auto one = parsed(text);
  std::string days;
  for (unsigned day = 1; day <= 31; ++day)
    if (const auto date = std::chrono::year(year) / month / day; date.ok() && one.on_day(sys_days(date)))
      days += (days.empty() ? "" : " ") + std::to_string(day);
  return days;
}

} // namespace

TEST_CASE("fields are values, ranges, steps, lists and names") {
  CHECK(parsed("0 0 1 1 *").minutes() == 1);
  CHECK(parsed("1,3-5 * * * *").minutes() == 0b111010);
  CHECK(std::popcount(parsed("*/7 * * * *").minutes()) == 9);
  CHECK(parsed("50/5 * * * *").minutes() == (std::uint64_t(1) << 50 | std::uint64_t(1) << 55));
  CHECK(parsed("10-20/4 * * * *").minutes() == (1U << 10 | 1U << 14 | 1U << 18));
  CHECK(parsed("0 22-23,0-2 * * *").hours() == (3U << 22 | 7U));
  CHECK(parsed("0 0 * JAN,mar-Apr *").in_month(1));
  CHECK_FALSE(parsed("0 0 * JAN,mar-Apr *").in_month(2));
  CHECK(parsed("0 0 * JAN,mar-Apr *").in_month(4));
  CHECK(parsed("  0\t0  * *   * ").hours() == 1);
  CHECK(parsed("@Daily").hours() == 1);
  CHECK(std::popcount(parsed("@hourly").hours()) == 24);
  CHECK(days_in("@weekly", 2026, 3) == "1 8 15 22 29");
  CHECK(days_in("@yearly", 2026, 1) == "1");
  CHECK(days_in("@annually", 2026, 2) == "");
}

TEST_CASE("Sunday is 0 and 7, and a range may end with it") {
  CHECK(days_in("0 0 * * 0", 2026, 3) == "1 8 15 22 29");
  CHECK(days_in("0 0 * * 7", 2026, 3) == "1 8 15 22 29");
  CHECK(days_in("0 0 * * FRI-SUN", 2026, 3) == days_in("0 0 * * 5-7", 2026, 3));
  CHECK(days_in("0 0 * * 5-7", 2026, 3) == "1 6 7 8 13 14 15 20 21 22 27 28 29");
  CHECK(days_in("0 0 * * 6/1", 2026, 3) == "1 7 8 14 15 21 22 28 29");
}

TEST_CASE("the day fields have special forms") {
  CHECK(days_in("0 0 L * *", 2028, 2) == "29");
  CHECK(days_in("0 0 L-1 * *", 2026, 4) == "29");
  CHECK(days_in("0 0 1,L * *", 2026, 4) == "1 30");
  CHECK(days_in("0 0 L-30 * *", 2026, 4) == "");
  CHECK(days_in("0 0 LW * *", 2026, 5) == "29");   // the 31st is a Sunday
  CHECK(days_in("0 0 15W * *", 2026, 8) == "14");  // a Saturday
  CHECK(days_in("0 0 15W * *", 2026, 11) == "16"); // a Sunday
  CHECK(days_in("0 0 1W * *", 2026, 8) == "3");    // a Saturday at the beginning of the month
  CHECK(days_in("0 0 31W * *", 2026, 5) == "29");  // a Sunday at its end
  CHECK(days_in("0 0 31W * *", 2026, 4) == "");
  CHECK(days_in("0 0 * * 5L", 2026, 5) == "29");
  CHECK(days_in("0 0 * * fril", 2026, 5) == "29");
  CHECK(days_in("0 0 * * MON#2", 2026, 5) == "11");
  CHECK(days_in("0 0 * * 7#5", 2026, 5) == "31");
  CHECK(days_in("0 0 * * 7#5", 2026, 4) == "");
}

TEST_CASE("two day fields have to agree if one begins with a star, else either counts") {
  CHECK(days_in("0 0 1,15 * 1", 2026, 6) == "1 8 15 22 29");
  CHECK(days_in("0 0 13 * FRI", 2026, 2) == "6 13 20 27");
  CHECK(days_in("0 0 */2 * 1", 2026, 6) == "1 15 29");
  CHECK(days_in("0 0 13 * */5", 2026, 3) == "13");
  CHECK(days_in("0 0 13 * 0-6", 2026, 2).size() > 60); // no star: either
  CHECK(parsed("0 0 */2 * 1").restricts_both_days());
  CHECK(parsed("0 0 */2 * 1").days_must_agree());
  CHECK_FALSE(parsed("0 0 * * 1").restricts_both_days());
  CHECK_FALSE(parsed("0 0 L * *").restricts_both_days());
  CHECK(parsed("0 0 L * FRIL").restricts_both_days());
}

TEST_CASE("every hour is every hour, however it is written") {
  for (const char* text : {"0 * * * *", "0 */1 * * *", "0 0-23 * * *", "0 0/1 * * *", "0 0-11,12-23 * * *"})
    CHECK(parsed(text).every_hour());
  CHECK_FALSE(parsed("0 */2 * * *").every_hour());
  CHECK_FALSE(parsed("0 0-22 * * *").every_hour());
}

TEST_CASE("other dialects are recognised and named") {
  CHECK(says("0 0 12 * * ?", "Quartz"));
  CHECK(says("0 0 12 * * ?", "Sunday as 1"));
  CHECK(says("0 0 12 * * MON 2026", "Quartz"));
  CHECK(says("0 12 ? * 2", "write * instead"));
  CHECK(says("H * * * *", "Jenkins"));
  CHECK(says("H/15 * * * *", "jitter"));
  CHECK(says("0~30 * * * *", "OpenBSD"));
  CHECK(says("@reboot", "\"start\""));
  CHECK(says("@every 5m", "nothing may follow"));
  CHECK(says("@every", "\"every\""));
  CHECK(says("@fortnightly", "@weekly"));
  CHECK(says("CRON_TZ=Europe/Berlin 0 0 * * *", "\"timezone\""));
  CHECK(says("0 0 * * L", "Quartz"));
}

TEST_CASE("mistakes are named with the field and the way out") {
  CHECK(says("", "empty"));
  CHECK(says("* * * *", "4 fields"));
  CHECK(says("60 * * * *", "\"60\" is no minute: it takes 0 to 59 (in the field for the minute)"));
  CHECK(says("* 24 * * *", "0 to 23"));
  CHECK(says("* * 0 * *", "1 to 31"));
  CHECK(says("* * * 13 *", "JAN to DEC"));
  CHECK(says("* * * * 8", "SUN to SAT"));
  CHECK(says("22-2 * * * *", "22-59,0-2"));
  CHECK(says("* 22-2 * * *", "22-23,0-2"));
  CHECK(says("* * * * sat-mon", "6-6,0-1"));
  CHECK(says("*/0 * * * *", "from 1 on"));
  CHECK(says("*/x * * * *", "from 1 on"));
  CHECK(says("*/90 * * * *", "\"every\""));
  CHECK(says("1,,2 * * * *", "comma"));
  CHECK(says("1- * * * *", "missing"));
  CHECK(says("-1 * * * *", "missing"));
  CHECK(says("5W * * * *", "W is for the day of the month"));
  CHECK(says("* * 0W * *", "nW"));
  CHECK(says("* * 1-5W * *", "one day"));
  CHECK(says("* * L-31 * *", "1 to 30"));
  CHECK(says("* * * * 5#6", "1 to 5"));
  CHECK(says("* * * * 5-6L", "one day"));
  CHECK(says("* * 5#2 * *", "# is for the day of the week"));
  CHECK(says("jan * * * *", "is no minute"));
  CHECK(says(std::string(2000, '1'), "1000 characters"));
  CHECK(says("0 0 1 1 \x1b[2J", "\\x1b"));
}

TEST_CASE("a date that never comes is a mistake, a rare one is not") {
  CHECK(says("0 0 31 2 *", "no date ever matches"));
  CHECK(says("0 0 31 4,6,9,11 *", "no date ever matches"));
  CHECK(says("0 0 30W 2 *", "no date ever matches"));
  CHECK(says("0 0 L-29 2 *", "no date ever matches"));
  CHECK(parsed("0 0 29 2 *").in_month(2));
  CHECK(parsed("0 0 31 2 1").in_month(2)); // either: Mondays
  CHECK(days_in("0 0 29 2 */3", 2040, 2) == "29");
  CHECK(days_in("0 0 * 2 0#5", 2032, 2) == "29");
}
