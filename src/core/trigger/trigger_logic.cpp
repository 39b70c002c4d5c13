// Ticks between what has a fate and now, cut where they begin to be late.
#include "core/trigger/trigger_logic.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

constexpr duration instant{1};

/// Ticks after the one moment up to the other that have not fired, without a walk through them.
std::optional<missed_gap> gap_between(const schedule_source& schedule, const trigger_record& record, timestamp after,
                                      timestamp until) {
  const auto first = schedule.next(after);
  if (!first || *first > until)
    return std::nullopt;
  const auto last = schedule.previous(until + instant);
  auto count = schedule.count(after, until);
  if (record.floor > after)
    count -= schedule.count(after, std::min(record.floor, until));
  for (const auto& range : record.fired) {
    const auto from = std::max({range.first - instant, after, record.floor});
    const auto to = std::min(range.last, until);
    if (from < to)
      count -= schedule.count(from, to);
  }
  if (count == 0)
    return std::nullopt;
  return missed_gap{*first, last.value_or(*first), count};
}

/// Behind which moment late ticks are made up for.
timestamp made_up_after(const trigger& of, const schedule_source& schedule, timestamp mark, timestamp late,
                        timestamp now, bool something_newer) {
  if (of.catch_up == catch_up_rule::none || (of.catch_up == catch_up_rule::latest && something_newer))
    return late;
  const auto window = now.time_since_epoch() > of.catch_up_window ? now - of.catch_up_window : timestamp{};
  const auto oldest = std::max(mark, window - instant);
  if (oldest >= late)
    return late;
  const auto most = of.catch_up == catch_up_rule::latest ? 1U : of.catch_up_max;
  auto from = late;
  auto at = schedule.previous(late + instant);
  for (std::uint32_t taken = 0; taken < most && at && *at > oldest; ++taken) {
    from = *at - instant;
    at = schedule.previous(*at);
  }
  return from;
}

} // namespace

schedule_look look_at_schedule(const trigger& of, const trigger_record& record, timestamp now) {
  schedule_look look;
  const auto& schedule = *of.schedule();
  look.next = schedule.next(now);
  while (look.next && record.has_fired(*look.next))
    look.next = schedule.next(*look.next);
  if (record.mark > now) {
    look.forget = true;
    return look;
  }
  const auto first = schedule.next(record.mark);
  if (!first || *first > now)
    return look;
  const auto late = std::max(record.mark, now - of.late_after - instant); // ticks up to here are late
  const auto newer = schedule.next(late);
  const auto from = made_up_after(of, schedule, record.mark, late, now, newer && *newer <= now);
  look.missed = gap_between(schedule, record, record.mark, from);
  auto after = std::max(record.mark, from);
  for (auto at = schedule.next(after); at && *at <= now; at = schedule.next(*at)) {
    if (look.due.size() == most_ticks_a_look) {
      look.next = *at;
      break;
    }
    if (!record.has_fired(*at))
      look.due.push_back({*at, after});
    after = *at;
  }
  return look;
}

std::optional<missed_gap> ticks_left_behind(const trigger& of, const trigger_record& record, timestamp now) {
  const auto* schedule = of.schedule();
  if (schedule == nullptr || record.mark >= now)
    return std::nullopt;
  return gap_between(*schedule, record, record.mark, now);
}

backfill_plan plan_backfill(const trigger& of, const trigger_record& record, timestamp from, timestamp until,
                            bool again) {
  backfill_plan plan;
  const auto& schedule = *of.schedule();
  auto before = schedule.previous(from);
  for (auto at = schedule.next(from - instant); at && *at <= until; before = at, at = schedule.next(*at)) {
    if (!again && record.has_fired(*at)) {
      ++plan.had_fired;
      continue;
    }
    plan.too_many = plan.ticks.size() == most_ticks_a_backfill;
    if (plan.too_many)
      break;
    plan.ticks.push_back({*at, before.value_or(*at - instant)});
  }
  return plan;
}

digest definition_of(const trigger& of) {
  std::string text(of.kind());
  text += of.enabled ? "\n" : "\noff\n";
  if (const auto* schedule = of.schedule()) {
    if (const auto* interval = std::get_if<interval_schedule>(&schedule->ticks))
      text += "every " + std::to_string(interval->every.count()) + "+" + std::to_string(interval->offset.count());
    else
      for (const auto& one : std::get<cron_schedule>(schedule->ticks).expressions())
        text += one.text() + "\n";
    text += "\n" + schedule->zone->name() + "\n" + schedule->not_on;
  }
  if (const auto* watch = std::get_if<watch_source>(&of.source))
    for (const auto* const list : {&watch->paths, &watch->ignore})
      for (const auto& one : *list)
        text += one + "\n";
  if (const auto* assets = std::get_if<assets_source>(&of.source)) {
    text += assets->all ? "all" : "any";
    text += assets->self ? " self" : "";
    text += assets->within ? " within " + std::to_string(assets->within->count()) : std::string();
    for (const auto& one : assets->assets)
      text += "\n" + one.pipeline + "/" + one.asset;
  }
  return quick_digest(text);
}

} // namespace troupe_internal
