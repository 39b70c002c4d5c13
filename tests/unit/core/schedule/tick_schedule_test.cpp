// When schedules fire around the changes of clocks: the named cases, and properties over zones that nobody has.
#include "core/schedule/tick_schedule.hpp"
#include "core/schedule/tzif.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace troupe_internal;
using namespace std::chrono_literals;

namespace {

using texts = std::vector<std::string>;

std::shared_ptr<const time_zone> by_rule(const std::string& rule) {
  auto read = read_tz_string(rule);
  REQUIRE(read.has_value());
  return std::make_shared<const time_zone>("test", std::vector<zone_type>{read->standard},
                                           std::vector<time_zone::change>{}, *read);
}

timestamp at(const std::string& text) { // 2026-03-29T01:00
  const auto part = [&](std::size_t from, std::size_t count) { return std::stoi(text.substr(from, count)); };
  const std::chrono::sys_days day = std::chrono::year(part(0, 4)) / part(5, 2) / part(8, 2);
  return day + std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2));
}
unix_seconds seconds(const std::string& text) {
  return to_unix_ns(at(text)) / 1'000'000'000;
}
std::string shown(timestamp t) {
  return to_rfc3339(t).substr(0, 16);
}

cron_schedule schedule(const texts& expressions, std::shared_ptr<const time_zone> zone) {
  std::vector<cron_expression> all;
  for (const auto& text : expressions) {
    auto one = cron_expression::parse(text);
    REQUIRE(one.has_value());
    all.push_back(std::move(*one));
  }
  return {std::move(all), std::move(zone)};
}

/// The next ticks, of which each has to lead back to the one before it.
texts after(const cron_schedule& of, const std::string& from, int count) {
  texts found;
  auto tick = at(from);
  for (int i = 0; i < count; ++i) {
    const auto next = of.next(tick);
    REQUIRE(next.has_value());
    REQUIRE(*next > tick);
    CHECK(of.count(tick, *next) == 1);
    CHECK(of.previous(*next + 1ns) == next);
    if (i > 0)
      CHECK(of.previous(*next) == tick);
    tick = *next;
    found.push_back(shown(tick));
  }
  CHECK(of.count(at(from), tick) == static_cast<std::uint64_t>(count));
  return found;
}

const auto berlin = [] { return by_rule("CET-1CEST,M3.5.0,M10.5.0/3"); };

} // namespace

TEST_CASE("a schedule of every hour has no hole and no double where clocks repeat an hour") {
  CHECK(after(schedule({"*/30 * * * *"}, berlin()), "2026-10-25T00:00", 6) ==
        texts{"2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00", "2026-10-25T02:30",
              "2026-10-25T03:00"});
  CHECK(after(schedule({"30 0-23 * * *"}, berlin()), "2026-03-29T00:00", 3) ==
        texts{"2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"});
}

TEST_CASE("a skipped time fires after the gap, and the day goes on") {
  CHECK(after(schedule({"30 2,6,10 * * *"}, berlin()), "2026-03-29T00:00", 4) ==
        texts{"2026-03-29T01:00", "2026-03-29T04:30", "2026-03-29T08:30", "2026-03-30T00:30"});
  CHECK(after(schedule({"*/10 2 * * *"}, berlin()), "2026-03-28T01:50", 2) ==
        texts{"2026-03-29T01:00", "2026-03-30T00:00"});
}

TEST_CASE("a skipped time and a tick at the end of the gap are one tick") {
  CHECK(after(schedule({"0,30 2,3 * * *"}, berlin()), "2026-03-28T12:00", 3) ==
        texts{"2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"});
  CHECK(after(schedule({"30 2 * * *", "0 3 * * *"}, berlin()), "2026-03-28T12:00", 2) ==
        texts{"2026-03-29T01:00", "2026-03-30T00:30"});
  CHECK(after(schedule({"30 2 * * *", "*/20 * * * *"}, berlin()), "2026-03-29T00:40", 2) ==
        texts{"2026-03-29T01:00", "2026-03-29T01:20"});
}

TEST_CASE("a time that comes twice fires the first time") {
  CHECK(after(schedule({"30 2 * * *"}, berlin()), "2026-10-24T12:00", 2) ==
        texts{"2026-10-25T00:30", "2026-10-26T01:30"});
  CHECK(after(schedule({"30 */2 * * *"}, berlin()), "2026-10-25T00:00", 3) ==
        texts{"2026-10-25T00:30", "2026-10-25T03:30", "2026-10-25T05:30"});
}

TEST_CASE("only the trigger's zone counts") {
  CHECK(after(schedule({"30 1 * * *"}, time_zone::utc()), "2026-10-24T12:00", 1) == texts{"2026-10-25T01:30"});
  CHECK(after(schedule({"0 * * * *"}, by_rule("IST-5:30")), "2026-01-01T00:00", 2) ==
        texts{"2026-01-01T00:30", "2026-01-01T01:30"});
  CHECK(after(schedule({"15 9 * * *"}, by_rule("<+0545>-5:45")), "2026-01-01T00:00", 1) == texts{"2026-01-01T03:30"});
}

TEST_CASE("gaps and repetitions may have any size and come at any hour") {
  const auto lord_howe = by_rule("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
  CHECK(after(schedule({"15 2 * * *"}, lord_howe), "2026-10-03T12:00", 2) ==
        texts{"2026-10-03T15:30", "2026-10-04T15:15"}); // 2:00 becomes 2:30
  CHECK(after(schedule({"45 1 * * *"}, lord_howe), "2026-04-04T00:00", 2) ==
        texts{"2026-04-04T14:45", "2026-04-05T15:15"}); // 1:30 to 2:00 comes twice
  const auto santiago = by_rule("<-04>4<-03>,M9.1.6/24,M4.1.6/24");
  CHECK(after(schedule({"0 0 * * *"}, santiago), "2026-09-05T12:00", 2) ==
        texts{"2026-09-06T04:00", "2026-09-07T03:00"}); // midnight is skipped
  const auto cairo = by_rule("EET-2EEST,M4.5.5/0,M10.5.4/24");
  CHECK(after(schedule({"30 0 * * *"}, cairo), "2026-04-23T12:00", 2) == texts{"2026-04-23T22:00", "2026-04-24T21:30"});
  CHECK(after(schedule({"30 23 * * *"}, cairo), "2026-10-29T12:00", 2) ==
        texts{"2026-10-29T20:30", "2026-10-30T21:30"}); // 23:00 to 24:00 comes twice
  const auto beirut = by_rule("EET-2EEST,M3.5.0/0,M10.5.0/0");
  CHECK(after(schedule({"0 0 * * *"}, beirut), "2026-03-28T12:00", 2) == texts{"2026-03-28T22:00", "2026-03-29T21:00"});
  // Samoa had no 30 December 2011.
  const auto apia = std::make_shared<const time_zone>(
      "Apia", std::vector<zone_type>{{-10 * 3600, true, "-10"}, {14 * 3600, true, "+14"}},
      std::vector<time_zone::change>{{seconds("2011-12-30T10:00"), 1}}, std::nullopt);
  CHECK(after(schedule({"30 4,8 * * *"}, apia), "2011-12-29T10:00", 5) ==
        texts{"2011-12-29T14:30", "2011-12-29T18:30", "2011-12-30T10:00", "2011-12-30T14:30", "2011-12-30T18:30"});
  CHECK(after(schedule({"0 * * * *"}, apia), "2011-12-30T08:30", 3) ==
        texts{"2011-12-30T09:00", "2011-12-30T10:00", "2011-12-30T11:00"});
}

TEST_CASE("dates are left out, skipped times on them too") {
  std::vector<cron_expression> nightly{*cron_expression::parse("30 2 * * *")};
  using namespace std::chrono;
  const cron_schedule holidays(nightly, berlin(), {2026y / 3 / 29, 2026y / 3 / 31});
  CHECK(after(holidays, "2026-03-28T00:00", 3) == texts{"2026-03-28T01:30", "2026-03-30T00:30", "2026-04-01T00:30"});
}

TEST_CASE("ticks that were missed are counted without being visited") {
  const auto start = at("2026-01-01T00:00");
  const interval_schedule half_minute{30s, 0s};
  CHECK(half_minute.count(start, start + std::chrono::hours(240)) == 28'800);
  CHECK(half_minute.previous(start + std::chrono::hours(240) + 1ns) == start + std::chrono::hours(240));
  const auto each_minute = schedule({"* * * * *"}, berlin());
  CHECK(each_minute.count(start, start + std::chrono::hours(240)) == 14'400);
  CHECK(each_minute.count(start, start + std::chrono::hours(24 * 36'525)) == 36'525 * 1440); // real time
  CHECK(schedule({"*/30 2 * * *"}, berlin()).count(start, at("2027-01-01T00:00")) == 729);   // one gap
  CHECK(each_minute.count(start, start) == 0);
  CHECK(each_minute.count(start, start - 1h) == 0);
}

TEST_CASE("intervals keep to their grid") {
  const interval_schedule one{10s, 3s};
  CHECK(one.next(from_unix_ns(0)) == from_unix_ns(3'000'000'000));
  CHECK(one.next(from_unix_ns(3'000'000'000)) == from_unix_ns(13'000'000'000));
  CHECK(one.next(from_unix_ns(2'999'999'999)) == from_unix_ns(3'000'000'000));
  CHECK(one.previous(from_unix_ns(3'000'000'001)) == from_unix_ns(3'000'000'000));
  CHECK(one.previous(from_unix_ns(3'000'000'000)) == std::nullopt);
  CHECK(one.count(from_unix_ns(3'000'000'000), from_unix_ns(23'000'000'000)) == 2);
}

TEST_CASE("there is an end to time") {
  const auto hourly = schedule({"0 * * * *"}, berlin());
  CHECK(hourly.next(at("2261-12-31T23:30")) == std::nullopt);
  CHECK(hourly.next(timestamp::max()) == std::nullopt);
  CHECK(hourly.previous(from_unix_ns(0)) == std::nullopt);
  CHECK(hourly.previous(timestamp::min()) == std::nullopt);
  CHECK(shown(*hourly.next(timestamp::min())) == "1970-01-01T00:00");
  CHECK(shown(*hourly.previous(timestamp::max())) == "2261-12-31T23:00");
}

TEST_CASE("in any zone ticks ascend, lead back, and are as many as are counted") {
  const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
  CHECK(rc::check([&] {
    std::vector<zone_type> types;
    for (int i = pick(1, 4); i > 0; --i)
      types.push_back({pick(-52, 52) * 1800 + (pick(0, 9) == 0 ? pick(-1799, 1799) : 0), false, "x"});
    for (auto& type : types)
      type.offset = std::clamp(type.offset, -max_zone_offset, max_zone_offset);
    std::vector<time_zone::change> changes;
    auto when = seconds("2026-01-01T00:00");
    for (int i = pick(0, 12); i > 0; --i) {
      when += pick(1, 3 * 86400);
      changes.push_back({when, static_cast<std::size_t>(pick(0, static_cast<int>(types.size()) - 1))});
    }
    const auto zone = std::make_shared<const time_zone>("any", types, changes, std::nullopt);
    const texts all{"0 * * * *", "30 2 * * *", "*/20 0-3,22 * * *", "7 0 * * 1-3", "59 23 1-9 * *", "0 0,12 */2 * *"};
    texts some;
    for (int i = pick(1, 3); i > 0; --i)
      some.push_back(all[static_cast<std::size_t>(pick(0, static_cast<int>(all.size()) - 1))]);
    const auto one = schedule(some, zone);
    const auto start = at("2026-01-01T00:00") + std::chrono::minutes(pick(0, 20'000));
    std::vector<timestamp> ticks;
    for (auto from = start; ticks.size() < 40;) {
      const auto next = one.next(from);
      RC_ASSERT(next.has_value());
      RC_ASSERT(*next > from);
      ticks.push_back(from = *next);
    }
    for (std::size_t i = 1; i < ticks.size(); ++i) {
      RC_ASSERT(one.previous(ticks[i]) == ticks[i - 1]);
      RC_ASSERT(one.count(start, ticks[i]) == i + 1);
      RC_ASSERT(one.count(start, ticks[i] - 1ns) == i);
    }
  }));
}
