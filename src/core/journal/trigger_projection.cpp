// What events of triggers change. No tick fires twice, and each event has one fate: what says otherwise breaks a rule.
#include "core/journal/projection.hpp"

#include <algorithm>
#include <limits>

namespace troupe_internal {
namespace {

/// Adds a tick that has not fired. `after`: no other tick lies between it and that moment.
void add_fired(trigger_record& to, timestamp nominal, timestamp after) {
  auto& ranges = to.fired;
  const auto next = std::find_if(ranges.begin(), ranges.end(), [&](const tick_range& r) { return r.first > nominal; });
  if (next != ranges.begin() && std::prev(next)->last >= after)
    std::prev(next)->last = nominal;
  else
    ranges.insert(next, {nominal, nominal});
  if (ranges.size() <= trigger_record::most_ranges)
    return;
  to.floor = std::max(to.floor, ranges.front().last);
  ranges.erase(ranges.begin());
}

} // namespace

result<void> projector::find_trigger(std::uint64_t seq, const std::string& name) {
  const auto found = tables_.get_trigger(name, trigger_);
  if (!found)
    return found.error();
  return *found ? result<void>() : broken_rule(seq, "it is of a trigger that was never known");
}

result<void> projector::fold(std::uint64_t seq, const trigger_changed& e) {
  const auto found = tables_.get_trigger(e.trigger, trigger_);
  if (!found)
    return found.error();
  trigger_.trigger = e.trigger;
  if (trigger_.definition != e.definition && trigger_.watched == watch_base::taken)
    trigger_.watched = watch_base::none;
  trigger_.definition = e.definition;
  trigger_.mark = e.at;
  trigger_.seen = seq; // of assets, too, what has been does not count
  trigger_.flags.clear();
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const trigger_paused& e) {
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  if (trigger_.paused_at)
    return {};
  trigger_.paused_at = e.at;
  trigger_.pause_reason = e.reason;
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const trigger_resumed& e) {
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  if (!trigger_.paused_at)
    return {};
  trigger_.paused_at.reset();
  trigger_.pause_reason.clear();
  if (trigger_.watched == watch_base::taken)
    trigger_.watched = watch_base::stale;
  trigger_.failures = 0;
  trigger_.mark = e.at;
  trigger_.seen = seq;
  trigger_.flags.clear();
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const ticks_missed& e) {
  if (e.count == 0 || e.first > e.last)
    return broken_rule(seq, "no tick was missed");
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  auto& missed = trigger_.settled[static_cast<std::size_t>(event_fate::missed)];
  if (e.count > std::numeric_limits<std::uint64_t>::max() - trigger_.taken)
    return broken_rule(seq, "more ticks were missed than can be counted");
  trigger_.taken += e.count;
  missed += e.count;
  trigger_.mark = e.last;
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const files_watched& e) {
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  for (const auto& file : e.files) {
    if (file.path.empty())
      return broken_rule(seq, "a file without a path was watched");
    if (file.record.stat.kind == file_kind::absent) {
      if (auto done = tables_.erase_watched(e.trigger, file.path); !done)
        return done;
      continue;
    }
    watched_.trigger = e.trigger;
    watched_.file = file;
    if (auto done = tables_.put_watched(watched_); !done)
      return done;
  }
  trigger_.watched = watch_base::taken;
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const cursor_moved& e) {
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  trigger_.cursor = e.cursor;
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t, const clock_jumped&) {
  return {}; // of use to people alone
}

result<void> projector::fold(std::uint64_t seq, const changes_seen& e) {
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  if (e.upto >= seq)
    return broken_rule(seq, "changes are seen before they have been recorded");
  for (const auto* flags : {&e.flags, &e.lapsed})
    for (const auto& flag : *flags)
      if (auto known = check_asset(flag.asset); !known)
        return known;
  trigger_.seen = std::max(trigger_.seen, e.upto);
  trigger_.flags = e.flags;
  return tables_.put_trigger(trigger_);
}

result<void> projector::fold(std::uint64_t seq, const event_taken& e) {
  auto& info = tables_.info();
  if (e.event != info.last_event + 1)
    return broken_rule(seq, "events of triggers are numbered one after the other, and " + std::to_string(e.event) +
                                " does not follow " + std::to_string(info.last_event));
  if (auto known = find_trigger(seq, e.trigger); !known)
    return known;
  const bool again = e.source == event_source::backfill && e.nominal && !e.after; // beside the tick of that moment
  if (e.nominal && !again && trigger_.has_fired(*e.nominal))
    return broken_rule(seq, "a tick fires for the second time");
  if (!again && (e.nominal.has_value() != e.after.has_value() || (e.nominal && *e.after >= *e.nominal)))
    return broken_rule(seq, "a tick does not say which moment it follows");
  info.last_event = e.event;
  ++trigger_.taken;
  ++trigger_.pending;
  trigger_.last_event = e.event;
  trigger_.last_at = e.at;
  trigger_.last_nominal = e.nominal;
  if (e.nominal && !again) {
    add_fired(trigger_, *e.nominal, *e.after);
    if (e.source != event_source::backfill) // what is due does not change by it
      trigger_.mark = *e.nominal;
  }
  if (auto done = tables_.put_trigger(trigger_); !done)
    return done;
  if (!e.key.empty() && e.duplicate_of == 0)
    if (auto done = tables_.put_seen_key({e.trigger, e.key, e.request.value_or(digest{}), e.event, e.bound_run, e.at});
        !done)
      return done;
  return tables_.put_pending(e);
}

result<void> projector::fold(std::uint64_t seq, const key_used& e) {
  if (!e.scope.ends_with('/') || e.key.empty() || e.bound_run.value == 0)
    return broken_rule(seq, "the key of a run has no scope, no text or no run");
  return tables_.put_seen_key({e.scope, e.key, e.request, 0, e.bound_run, e.at});
}

result<void> projector::fold(std::uint64_t, const keys_forgotten& e) {
  for (const auto& key : e.keys)
    if (auto done = tables_.erase_seen_key(e.trigger, key); !done)
      return done;
  return {};
}

result<void> projector::settle(std::uint64_t seq, std::uint64_t number, event_fate fate) {
  if (auto known = find_trigger(seq, pending_.trigger); !known)
    return known;
  if (trigger_.pending == 0)
    return broken_rule(seq, "its trigger has no event without a fate");
  --trigger_.pending;
  ++trigger_.settled[static_cast<std::size_t>(fate)];
  if (auto done = tables_.put_trigger(trigger_); !done)
    return done;
  return tables_.erase_pending(number);
}

result<void> projector::settle_events_of(std::uint64_t seq, const run_queued& run, event_fate fate) {
  for (const auto number : run.cause.events) {
    const auto found = tables_.get_pending(number, pending_);
    if (!found)
      return found.error();
    if (*found)
      if (auto done = settle(seq, number, fate); !done)
        return done;
  }
  return {};
}

result<void> projector::fold(std::uint64_t seq, const event_settled& e) {
  if (e.fate == event_fate::pending)
    return broken_rule(seq, "an event that is settled is not pending");
  const auto found = tables_.get_pending(e.event, pending_);
  if (!found)
    return found.error();
  if (!*found)
    return broken_rule(seq, "event " + std::to_string(e.event) + " of a trigger has a fate already, or never was");
  if (e.fate == event_fate::coalesced) { // the run is for this one, too
    const auto queued = tables_.get_queued(e.bound_run, queued_);
    if (!queued)
      return queued.error();
    if (!*queued)
      return broken_rule(seq, "an event joins a run that does not wait");
    if (queued_.cause.events.size() < most_events_listed) {
      queued_.cause.events.push_back(e.event);
      if (auto done = tables_.put_queued(queued_); !done)
        return done;
    }
  }
  return settle(seq, e.event, e.fate);
}

} // namespace troupe_internal
