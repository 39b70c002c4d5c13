// Rules and files of zones, real and broken.
#include "core/schedule/time_zone.hpp"
#include "core/schedule/tzif.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

/// A number as the files write it.
std::string big(std::int64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i)
    text += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  return text;
}

struct file {
  std::vector<std::int64_t> changes{100, 200};
  std::vector<int> kinds{1, 0};
  std::vector<std::int32_t> offsets{3600, 7200};
  int leaps = 0;
  std::string letters = std::string("ABC\0", 4);
  std::string footer = "<+01>-1";
  char version = '2';

  [[nodiscard]] std::string header(bool full) const {
    const auto n = [&](std::size_t count) { return big(full ? static_cast<std::int64_t>(count) : 0, 4); };
    return "TZif" + std::string(1, version) + std::string(15, '\0') + n(0) + n(0) + n(static_cast<std::size_t>(leaps)) +
           n(changes.size()) + n(offsets.size()) + n(letters.size());
  }
  [[nodiscard]] std::string bytes() const {
    std::string text = header(false) + header(true);
    for (const auto one : changes)
      text += big(one, 8);
    for (const auto one : kinds)
      text += static_cast<char>(one);
    for (const auto one : offsets)
      text += big(one, 4) + std::string(2, '\0');
    return text + letters + std::string(static_cast<std::size_t>(leaps) * 12, '\0') + "\n" + footer + "\n";
  }
};

std::string refused(const file& one) {
  const auto zone = read_tzif("x", one.bytes());
  REQUIRE_FALSE(zone.has_value());
  return zone.error().message;
}

} // namespace

TEST_CASE("a file is its changes, and then its rule") {
  const auto zone = read_tzif("x", file().bytes());
  REQUIRE(zone.has_value());
  CHECK(zone->at(99).offset == 3600);
  CHECK(zone->at(99).begin == time_zone::beginning);
  CHECK(zone->at(99).end == 100);
  CHECK(zone->at(100).offset == 7200);
  CHECK(zone->at(199).end == 200);
  CHECK(zone->at(200).offset == 3600);
  CHECK(zone->at(200).abbreviation == "+01");
  CHECK(zone->at(200).end == time_zone::forever);
  CHECK(zone->changes_after(0));
  CHECK_FALSE(zone->changes_after(200));
}

TEST_CASE("a file without a rule keeps its last time") {
  file one;
  one.footer = "";
  const auto zone = read_tzif("x", one.bytes());
  REQUIRE(zone.has_value());
  CHECK(zone->at(1'000'000'000).offset == 3600);
  CHECK(zone->at(1'000'000'000).abbreviation == "ABC");
}

TEST_CASE("whatever breaks the format is refused and named") {
  const auto with = [](auto change) {
    file one;
    change(one);
    return refused(one);
  };
  CHECK(with([](file& f) { f.version = '\0'; }).find("version 1") != std::string::npos);
  CHECK(with([](file& f) { f.changes = {200, 100}; }).find("ascending") != std::string::npos);
  CHECK(with([](file& f) { f.changes = {100, 100}; }).find("ascending") != std::string::npos);
  CHECK(with([](file& f) { f.changes = {-(std::int64_t(1) << 62), 0}; }).find("billion") != std::string::npos);
  CHECK(with([](file& f) { f.kinds = {0, 2}; }).find("does not list") != std::string::npos);
  CHECK(with([](file& f) { f.offsets = {26 * 3600 + 1, 0}; }).find("26 hours") != std::string::npos);
  CHECK(with([](file& f) { f.offsets = {}; }).find("0 kinds") != std::string::npos);
  CHECK(with([](file& f) { f.letters = "ABC"; }).find("abbreviation") != std::string::npos);
  CHECK(with([](file& f) { f.leaps = 1; }).find("leap seconds") != std::string::npos);
  CHECK(with([](file& f) { f.footer = "CET"; }).find("rule") != std::string::npos);
  const std::string whole = file().bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK_FALSE(read_tzif("x", whole.substr(0, length)).has_value());
  }
  CHECK_FALSE(read_tzif("x", whole + std::string(max_tzif_bytes, 'x')).has_value());
}

TEST_CASE("rules are read as POSIX writes them, with the hours of version 3") {
  const auto berlin = read_tz_string("CET-1CEST,M3.5.0,M10.5.0/3");
  REQUIRE(berlin.has_value());
  CHECK(berlin->standard == zone_type{3600, false, "CET"});
  CHECK(berlin->daylight->type == zone_type{7200, true, "CEST"});
  CHECK(berlin->daylight->start.seconds == 7200);
  CHECK(berlin->daylight->end.seconds == 10800);
  const auto dublin = read_tz_string("IST-1GMT0,M10.5.0,M3.5.0/1");
  REQUIRE(dublin.has_value());
  CHECK(dublin->daylight->type.offset == 0);
  CHECK(read_tz_string("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")->daylight->start.seconds == -3600);
  CHECK(read_tz_string("IST-2IDT,M3.4.4/26,M10.5.0")->daylight->start.seconds == 26 * 3600);
  CHECK(read_tz_string("XXX+3:04:05")->standard.offset == -(3 * 3600 + 4 * 60 + 5));
  for (const char* wrong : {"", "CE-1", "CET", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
                            "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365",
                            "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1",
                            "CET-1:60", "CET-1CEST,M3.5.0,M10.5.0,M11.1.0", "CET-1 "}) {
    INFO(wrong);
    CHECK_FALSE(read_tz_string(wrong).has_value());
  }
}

TEST_CASE("a rule's dates are found in every year") {
  const auto day = [](const rule_date& date, int year) {
    const std::chrono::year_month_day found(day_of(moment_of(date, year, 0)));
    return std::to_string(static_cast<unsigned>(found.month())) + "-" +
           std::to_string(static_cast<unsigned>(found.day()));
  };
  using form = rule_date::form;
  CHECK(day({form::julian, 0, 0, 60, 0}, 2024) == "3-1");
  CHECK(day({form::julian, 0, 0, 60, 0}, 2026) == "3-1");
  CHECK(day({form::julian, 0, 0, 59, 0}, 2024) == "2-28");
  CHECK(day({form::day_of_year, 0, 0, 59, 0}, 2024) == "2-29");
  CHECK(day({form::day_of_year, 0, 0, 59, 0}, 2026) == "3-1");
  CHECK(day({form::month_week_day, 3, 5, 0, 0}, 2026) == "3-29");
  CHECK(day({form::month_week_day, 3, 1, 0, 0}, 2026) == "3-1");
  CHECK(day({form::month_week_day, 3, 2, 6, 0}, 2026) == "3-14");
}

TEST_CASE("a zone may save daylight always, or on both sides of the new year") {
  const auto zone = [](const char* text) {
    auto rule = read_tz_string(text);
    REQUIRE(rule.has_value());
    return time_zone("x", {rule->standard}, {}, *rule);
  };
  const auto always = zone("XXX3EDT4,0/0,J365/23");
  for (std::int64_t t = 0; t < 1'000'000'000; t += 86400 * 3 + 17) {
    CHECK(always.at(t).offset == -4 * 3600);
    CHECK(always.at(t).daylight);
  }
  CHECK_FALSE(always.changes_after(0));
  const auto south = zone("<-04>4<-03>,M9.1.6/24,M4.1.6/24");
  CHECK(south.at(1'767'225'600).daylight);       // 2026-01-01
  CHECK_FALSE(south.at(1'782'864'000).daylight); // 2026-07-01
  for (std::int64_t t = -4'000'000'000; t < 9'000'000'000; t += 86400 * 5 + 17) {
    const auto period = south.at(t);
    REQUIRE(period.begin <= t);
    REQUIRE(t < period.end);
    REQUIRE(south.at(period.end).begin == period.end);
    REQUIRE(south.at(period.begin - 1).end == period.begin);
  }
}
