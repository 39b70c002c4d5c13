// Answers questions about schedules and zones, for tests in Python; it is not installed. Knows no trigger.
//
// usage: calendar next     lines "EXPRESSIONS \t ZONE \t NOT_ON \t INSTANT \t COUNT": EXPRESSIONS are separated by "|",
//                          NOT_ON is a list of dates separated by "," or empty; INSTANT is in seconds. Prints the next
//                          COUNT ticks, the last tick before INSTANT ("-": none), and the number of ticks after INSTANT
//                          up to the last one printed, in seconds, separated by blanks; or "error: …"
//        calendar offsets  lines "ZONE \t INSTANT \t …": prints the offset, whether daylight is saved, and the
//                          abbreviation at each instant
#include "adapters/system/zone_files.hpp"
#include "core/schedule/tick_schedule.hpp"

#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe_internal;

namespace {

std::vector<std::string> cut(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const auto end = std::min(text.find(at, from), text.size());
    parts.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

std::int64_t number(const std::string& text) {
  return std::stoll(text);
}

result<std::shared_ptr<const time_zone>> zone_of(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const time_zone>> known;
  if (const auto found = known.find(name); found != known.end())
    return found->second;
  auto zone = zone_files::of_system().find(name);
  if (zone)
    known[name] = *zone;
  return zone;
}

result<std::string> ticks(const std::vector<std::string>& words) {
  std::vector<cron_expression> expressions;
  for (const auto& text : cut(words.at(0), '|')) {
    auto one = cron_expression::parse(text);
    if (!one)
      return one.error();
    expressions.push_back(std::move(*one));
  }
  const auto zone = zone_of(words.at(1));
  if (!zone)
    return zone.error();
  std::vector<std::chrono::sys_days> not_on;
  if (!words.at(2).empty())
    for (const auto& day : cut(words.at(2), ','))
      not_on.push_back(std::chrono::year(static_cast<int>(number(day.substr(0, 4)))) /
                       static_cast<unsigned>(number(day.substr(5, 2))) / static_cast<int>(number(day.substr(8, 2))));
  const cron_schedule schedule(std::move(expressions), *zone, std::move(not_on));
  const auto in_seconds = [](timestamp t) { return std::to_string(to_unix_ns(t) / 1'000'000'000); };
  const auto start = from_unix_ns(number(words.at(3)) * 1'000'000'000);
  auto at = start;
  std::string line;
  for (auto left = number(words.at(4)); left > 0; --left) {
    const auto next = schedule.next(at);
    if (!next)
      break;
    if (*next <= at)
      return fail(error_code::internal, "next() is not later");
    const auto back = schedule.previous(*next + duration(1));
    if (!back || *back != *next || (at != start && schedule.previous(*next) != at))
      return fail(error_code::internal, "previous() does not lead back from " + in_seconds(*next));
    at = *next;
    line += in_seconds(at) + " ";
  }
  const auto before = schedule.previous(start);
  return line + (before ? in_seconds(*before) : "-") + " " + std::to_string(schedule.count(start, at));
}

result<std::string> offsets(const std::vector<std::string>& words) {
  const auto zone = zone_of(words.at(0));
  if (!zone)
    return zone.error();
  std::string line;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto period = (*zone)->at(number(words[i]));
    line.append(i == 1 ? "" : " ").append(std::to_string(period.offset));
    line.append(period.daylight ? ",1," : ",0,").append(period.abbreviation);
  }
  return line;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 2 ? argv[1] : "";
  if (verb != "next" && verb != "offsets") {
    std::cerr << "usage: calendar next|offsets\n";
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) {
    const auto words = cut(line, '\t');
    const auto answer = verb == "next" ? ticks(words) : offsets(words);
    std::cout << (answer ? *answer : "error: " + answer.error().message) << "\n";
  }
  return 0;
}
