// Ticks are shown in the trigger's zone, because that is what its schedule is written in.
#include "views/trigger_view.hpp"

#include "views/documents.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace troupe_internal::cli {
namespace {

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

/// "03:00", with seconds if there are any.
std::string clock_text(unix_seconds local) {
  const auto second = local - day_of(local).time_since_epoch().count() * 86400;
  const auto text = two_digits(second / 3600) + ":" + two_digits(second / 60 % 60);
  return second % 60 == 0 ? text : text + ":" + two_digits(second % 60);
}

std::string schedule_text(const schedule_source& schedule) {
  if (const auto* interval = std::get_if<interval_schedule>(&schedule.ticks)) {
    const auto seconds = interval->every.count();
    for (const auto& [unit, size] : {std::pair{"d", 86400}, {"h", 3600}, {"m", 60}})
      if (seconds % size == 0)
        return "every " + std::to_string(seconds / size) + unit;
    return "every " + std::to_string(seconds) + "s";
  }
  std::string text;
  for (const auto& one : std::get<cron_schedule>(schedule.ticks).expressions())
    text += (text.empty() ? "" : " | ") + one.text();
  return text + " in " + schedule.zone->name();
}

/// RFC 3339 without fractions: ticks are whole seconds.
std::string instant_text(timestamp tick) {
  return to_rfc3339(tick).substr(0, 19) + "Z";
}

} // namespace

std::string tick_text(timestamp tick, const time_zone& zone) {
  const auto moment = std::chrono::floor<std::chrono::seconds>(tick).time_since_epoch().count();
  const auto period = zone.at(moment);
  const auto local = moment + period.offset;
  const std::chrono::year_month_day date(day_of(local));
  const auto weekday = std::chrono::weekday(day_of(local)).c_encoding();
  return std::string(weekdays[weekday]) + " " + std::to_string(static_cast<int>(date.year())) + "-" +
         two_digits(static_cast<unsigned>(date.month())) + "-" + two_digits(static_cast<unsigned>(date.day())) + " " +
         clock_text(local) + " " + std::string(period.abbreviation) +
         (period.offset == 0 ? "" : " (" + clock_text(moment) + "Z)");
}

std::vector<shown_trigger> shown_triggers(const std::string& pipeline, const trigger_set& set, timestamp from,
                                          std::size_t count) {
  std::vector<shown_trigger> all;
  for (const auto& one : set.triggers) {
    auto& shown = all.emplace_back();
    shown.pipeline = pipeline;
    shown.what = &one;
    const auto* schedule = one.schedule();
    if (schedule == nullptr || !one.enabled)
      continue;
    for (auto at = schedule->next(from); at && shown.next.size() < count; at = schedule->next(*at))
      shown.next.push_back(*at);
  }
  return all;
}

void write_trigger(json_writer& json, const shown_trigger& one) {
  const auto* record = one.record ? &*one.record : nullptr;
  json.begin_object().member("kind", one.what->kind()).member("enabled", one.what->enabled).key("paused");
  if (record != nullptr && record->paused_at)
    json.begin_object()
        .member("at", to_rfc3339(*record->paused_at))
        .member("reason", record->pause_reason)
        .end_object();
  else
    json.null();
  json.key("degraded");
  if (one.degraded.empty())
    json.null();
  else
    json.value(one.degraded);
  json.key("last");
  if (record != nullptr && record->last_at) {
    json.begin_object().member("event", record->last_event).member("at", to_rfc3339(*record->last_at)).key("nominal");
    if (record->last_nominal)
      json.value(instant_text(*record->last_nominal));
    else
      json.null();
    json.end_object();
  } else {
    json.null();
  }
  json.key("next").begin_array();
  for (const auto tick : one.next)
    json.value(instant_text(tick));
  json.end_array().end_object();
}

void write_triggers(json_writer& json, const std::vector<shown_trigger>& triggers) {
  begin_document(json);
  json.key("triggers").begin_object();
  for (const auto& one : triggers) {
    json.key(one.pipeline + "/" + one.what->name);
    write_trigger(json, one);
  }
  json.end_object().end_object();
  json.finish();
}

void print_triggers(const output& to, const std::vector<shown_trigger>& triggers, bool in_full) {
  if (!in_full) {
    table rows({{"TRIGGER"}, {"KIND"}, {"NEXT", false, true}});
    for (const auto& one : triggers) {
      const auto* schedule = one.what->schedule();
      rows.row({one.what->name, std::string(one.what->kind()),
                !one.what->enabled                    ? std::string("disabled")
                : one.record && one.record->paused_at ? std::string("paused")
                : schedule == nullptr                 ? std::string("-")
                : one.next.empty()                    ? std::string("never again")
                                                      : tick_text(one.next.front(), *schedule->zone)});
    }
    return rows.print(to);
  }
  for (const auto& one : triggers) {
    const auto* schedule = one.what->schedule();
    to.stream << printable(one.pipeline) << "/" << printable(one.what->name) << ": " << one.what->kind();
    if (schedule != nullptr)
      to.stream << ", " << printable(schedule_text(*schedule));
    to.stream << (one.what->enabled ? "" : ", disabled") << "\n";
    if (one.record && one.record->paused_at)
      to.stream << "  paused since " << instant_text(*one.record->paused_at)
                << (one.record->pause_reason.empty() ? "" : ": ") << printable(one.record->pause_reason) << "\n";
    if (!one.what->description.empty())
      to.stream << "  " << printable(one.what->description) << "\n";
    for (const auto tick : one.next)
      to.stream << "  " << tick_text(tick, *schedule->zone) << "\n";
  }
}

std::vector<std::string> notes_on_schedules(const trigger_set& set, timestamp now) {
  std::vector<std::string> notes;
  for (const auto& one : set.triggers) {
    const auto* schedule = one.schedule();
    const auto* cron = schedule == nullptr ? nullptr : std::get_if<cron_schedule>(&schedule->ticks);
    if (cron == nullptr)
      continue;
    for (const auto& expression : cron->expressions()) {
      if (!expression.restricts_both_days())
        continue;
      const cron_schedule alone({expression}, schedule->zone);
      std::string ticks;
      auto at = alone.next(now);
      for (int i = 0; i < 3 && at; ++i, at = alone.next(*at))
        ticks += (i == 0 ? "" : ", ") + tick_text(*at, *schedule->zone);
      notes.push_back("the trigger \"" + one.name + "\": \"" + expression.text() +
                      "\" restricts the day of the month and the day of the week; " +
                      (expression.days_must_agree() ? "both have to match, because one of them begins with *"
                                                    : "either is enough, because neither begins with *") +
                      ". Next: " + ticks);
    }
  }
  return notes;
}

} // namespace troupe_internal::cli
