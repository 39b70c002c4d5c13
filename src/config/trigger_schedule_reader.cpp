// Schedules: expressions, intervals, zones and dates without ticks.
#include "config/source_reader.hpp"

#include "adapters/files/file_content.hpp"
#include "adapters/system/zone_files.hpp"
#include "config/dates_file.hpp"

#include <fcntl.h>

#include <utility>

namespace troupe_internal::config {

void source_reader::schedule() {
  schedule_source source{interval_schedule{}, nullptr, duration(0), {}};
  std::vector<cron_expression> expressions;
  std::optional<duration> every;
  std::optional<duration> offset;
  std::string zone = "UTC";
  const place opened = values_.key_place();
  const bool read = object("schedule", schedule_keys, [&](std::size_t key) {
    switch (key) {
    case 0:
      return cron(expressions);
    case 1:
      every = whole_seconds("every", std::chrono::seconds(1));
      return;
    case 2:
      offset = whole_seconds("offset", duration(0));
      return;
    case 3:
      return text(zone, "timezone", "the name of a zone such as \"Europe/Berlin\"");
    case 4:
      return text(source.not_on, "not_on", "the path of a file of dates");
    default:
      span(source.jitter, "jitter", duration(0));
    }
  });
  if (!read || values_.json.failed())
    return;
  const bool sound = !into_.broken;
  source.zone = zone_named(zone);
  if (!sound)
    return; // a key that is not known may have been meant to be the one that is missing
  if (has("schedule.cron") == has("schedule.every"))
    return wrong(opened, "bad_schedule",
                 has("schedule.cron") ? "a schedule has either \"cron\" or \"every\"; make two triggers of this one"
                                      : "the schedule says no time: write \"cron\", such as \"30 2 * * *\", or "
                                        "\"every\", such as \"10m\"");
  if (has("schedule.every"))
    return interval(std::move(source), every, offset);
  if (has("schedule.offset"))
    wrong(into_.at("schedule.offset"), "bad_schedule", "\"offset\" goes with \"every\", not with \"cron\"");
  auto days = source.not_on.empty() ? std::vector<std::chrono::sys_days>() : dates(source.not_on);
  if (expressions.empty() || !source.zone)
    return;
  source.ticks = cron_schedule(std::move(expressions), source.zone, std::move(days));
  into_.what.source = std::move(source);
}

std::optional<duration> source_reader::whole_seconds(std::string_view what, duration least) {
  duration value{0};
  span(value, what, least);
  if (value % std::chrono::seconds(1) != duration(0))
    wrong(values_.where(), "bad_duration", named(what) + " has to be whole seconds");
  return into_.broken ? std::nullopt : std::optional(value);
}

void source_reader::cron(std::vector<cron_expression>& into) {
  const auto take = [&](std::string_view written, place where) {
    auto one = cron_expression::parse(written);
    if (one)
      into.push_back(std::move(*one));
    else
      wrong(where, "bad_cron", in_quotes(written) + ": " + one.error().message);
  };
  const auto v = values_.next();
  if (v.kind == json_kind::string)
    return take(v.text, v.where);
  if (v.kind != json_kind::array) {
    into_.broken = true;
    return values_.wrong_type(v, "cron", "a cron expression such as \"30 2 * * *\", or a list of them");
  }
  std::size_t count = 0;
  for (; values_.json.next_element(); ++count)
    if (const auto written = values_.string("an element of \"cron\"", "a cron expression such as \"30 2 * * *\""))
      take(*written, values_.where());
    else
      into_.broken = true;
  if (count == 0 && !values_.json.failed())
    wrong(v.where, "bad_value", "\"cron\" is an empty list");
  if (count > 100)
    wrong(v.where, "bad_value", "\"cron\" has more than 100 expressions");
}

std::shared_ptr<const time_zone> source_reader::zone_named(const std::string& name) {
  if (name == "UTC")
    return time_zone::utc();
  auto zone = sources_.find_zone ? sources_.find_zone(name) : zone_files::of_system().find(name);
  if (zone)
    return *zone;
  wrong(into_.at("schedule.timezone"), "unknown_zone", zone.error().message);
  return nullptr;
}

std::vector<std::chrono::sys_days> source_reader::dates(const std::string& file) {
  const auto text = sources_.read_text      ? sources_.read_text(file)
                    : file.starts_with('/') ? read_whole_file(AT_FDCWD, file, max_dates_bytes)
                                            : read_whole_file(AT_FDCWD, sources_.folder + "/" + file, max_dates_bytes);
  if (!text) {
    wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\": " + text.error().message);
    return {};
  }
  auto found = dates_in(*text);
  if (found)
    return std::move(*found);
  wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\": " + file + ", " + found.error().message);
  return {};
}

void source_reader::interval(schedule_source source, std::optional<duration> every, std::optional<duration> offset) {
  if (has("schedule.not_on"))
    wrong(into_.at("schedule.not_on"), "bad_schedule", "\"not_on\" goes with \"cron\", not with \"every\"");
  if (!every || into_.broken)
    return;
  if (offset && *offset >= *every)
    return wrong(into_.at("schedule.offset"), "bad_schedule", "\"offset\" has to be shorter than \"every\"");
  if (source.jitter >= *every)
    return wrong(into_.at("schedule.jitter"), "bad_schedule", "\"jitter\" has to be shorter than \"every\"");
  source.ticks = interval_schedule{std::chrono::floor<std::chrono::seconds>(*every),
                                   std::chrono::floor<std::chrono::seconds>(offset.value_or(duration(0)))};
  into_.what.source = std::move(source);
}

} // namespace troupe_internal::config
