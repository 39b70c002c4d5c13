// One look at all triggers, and one request at a time.
#include "serve/trigger_desk.hpp"

#include "core/trigger/trigger_logic.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::serve {

namespace {

result<void> may_be_notified(const trigger_desk::target& at, const trigger_record& record) {
  const auto name = "\"" + at.name() + "\"";
  if (!std::holds_alternative<manual_source>(at.what->source))
    return fail(error_code::invalid_input,
                name + " is no manual trigger: `troupe triggers fire` makes a trigger of any kind fire");
  if (!at.what->enabled)
    return fail(error_code::invalid_input, "the trigger " + name + " is not enabled");
  if (record.paused_at)
    return fail(error_code::invalid_input,
                "the trigger " + name + " is paused: `troupe triggers resume " + at.name() + "` makes it fire again");
  return {};
}

std::string tick_text(timestamp nominal) {
  return to_rfc3339(nominal).substr(0, 19) + "Z";
}

} // namespace

trigger_desk::trigger_desk(serving_engine& engine, system_clock& time, state_dir::handle state,
                           std::function<void(const std::string&)> log)
    : engine_(engine), time_(time), payloads_(std::move(state)), log_(std::move(log)) {}

result<void> trigger_desk::tidy(duration keep_events) {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  const auto now = time_.now();
  const auto oldest = now.time_since_epoch() > keep_events ? now - keep_events : timestamp{};
  if (const auto gone = payloads_.tidy(**snapshot, oldest); !gone)
    return gone.error();
  return forget_old_keys();
}

void trigger_desk::set_pipelines(std::vector<served_triggers> pipelines) {
  start_rule_map rules;
  bool follows_assets = false;
  const std::lock_guard lock(mutex_);
  pipelines_ = std::move(pipelines);
  known_ = false;
  for (const auto& of : pipelines_)
    for (const auto& what : of.set->triggers) {
      rules.emplace(std::pair(of.pipeline, what.name), start_rule_of(what));
      follows_assets = follows_assets || (what.enabled && std::holds_alternative<assets_source>(what.source));
    }
  follows_assets_ = follows_assets;
  engine_.set_rules(std::move(rules));
  tell_listeners();
}

void trigger_desk::tell_listeners() {
  if (wake_)
    wake_();
  for (const auto& [who, changed] : listeners_)
    changed();
}

void trigger_desk::listen(const void* who, std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  if (changed)
    listeners_[who] = std::move(changed);
  else
    listeners_.erase(who);
}

result<std::map<std::string, trigger_record>> trigger_desk::known_triggers() {
  const std::lock_guard lock(mutex_);
  auto records = read_records();
  if (!records)
    return records;
  if (const auto noted = note_changed(*records, time_.now()); !noted)
    return noted.error();
  return read_records();
}

void trigger_desk::set_trouble(const std::string& name, const std::string& why) {
  {
    const std::lock_guard lock(troubles_mutex_);
    auto& known = troubles_[name];
    if (known == why)
      return;
    known = why;
    if (why.empty())
      troubles_.erase(name);
  }
  log_("trigger " + name + ": " + (why.empty() ? "all is well again" : why));
}

std::map<std::string, std::string> trigger_desk::troubles() {
  const std::lock_guard lock(troubles_mutex_);
  return troubles_;
}

void trigger_desk::set_waker(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

std::vector<served_triggers> trigger_desk::pipelines() {
  const std::lock_guard lock(mutex_);
  return pipelines_;
}

void trigger_desk::complain(const std::string& name, const std::string& why) {
  auto& last = complaints_[name];
  if (last == why)
    return;
  last = why;
  log_("trigger " + name + ": " + why);
}

result<std::map<std::string, trigger_record>> trigger_desk::read_records() {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  std::map<std::string, trigger_record> records;
  const auto visited = (*snapshot)->visit_triggers([&](const trigger_record& one) {
    records.emplace(one.trigger, one);
    return true;
  });
  if (!visited)
    return visited.error();
  return records;
}

result<void> trigger_desk::note_changed(std::map<std::string, trigger_record>& records, timestamp now) {
  std::vector<event> changes;
  const auto change = [&](const std::string& name, const digest& definition) {
    auto& record = records[name];
    record.trigger = name;
    record.definition = definition;
    record.mark = now;
    changes.emplace_back(trigger_changed{name, now, definition});
  };
  for (const auto& of : pipelines_) {
    for (const auto& what : of.set->triggers) {
      const auto name = of.pipeline + "/" + what.name;
      const auto known = records.find(name);
      if (const auto definition = definition_of(what); known == records.end() || known->second.definition != definition)
        change(name, definition);
    }
    // One that is gone is anchored anew if it comes back.
    for (const auto& [name, record] : records)
      if (name.starts_with(of.pipeline + "/") && record.definition != digest{} &&
          of.set->find(std::string_view(name).substr(of.pipeline.size() + 1)) == nullptr)
        change(name, digest{});
  }
  if (!changes.empty()) {
    if (const auto done = engine_.record(std::move(changes)); !done)
      return done;
    auto anew = read_records(); // the fold says more of a change than that there was one
    if (!anew)
      return anew.error();
    records = std::move(*anew);
  }
  known_ = true;
  return {};
}

result<void> trigger_desk::have_known() {
  if (known_)
    return {};
  const std::lock_guard lock(mutex_);
  if (known_)
    return {};
  auto records = read_records();
  return records ? note_changed(*records, time_.now()) : records.error();
}

result<bool> trigger_desk::is_paused(const target& at) {
  const auto snapshot = engine_.history();
  if (!snapshot)
    return snapshot.error();
  trigger_record record;
  const auto found = (*snapshot)->read_trigger(at.name(), record);
  return found ? result<bool>(*found && record.paused_at) : found.error();
}

result<void> trigger_desk::pause_failing(std::map<std::string, trigger_record>& records, timestamp now) {
  std::vector<event> pauses;
  for (const auto& of : pipelines_)
    for (const auto& what : of.set->triggers) {
      auto& record = records[of.pipeline + "/" + what.name];
      if (!what.pause_after_failures || record.paused_at || record.failures < *what.pause_after_failures)
        continue;
      record.paused_at = now;
      const auto why = record.failures == 1 ? std::string("its last run failed")
                                            : "its last " + std::to_string(record.failures) + " runs failed";
      log_("trigger " + of.pipeline + "/" + what.name + " is paused: " + why);
      if (what.enabled)
        if (const auto gap = ticks_left_behind(what, record, now))
          pauses.emplace_back(ticks_missed{of.pipeline + "/" + what.name, now, gap->first, gap->last, gap->count});
      pauses.emplace_back(trigger_paused{of.pipeline + "/" + what.name, now, why, {}});
    }
  return pauses.empty() ? result<void>() : engine_.record(std::move(pauses));
}

result<void> trigger_desk::look_at_clock(const std::map<std::string, trigger_record>& records, timestamp now) {
  if (const auto jump = watch_.read(now, time_.monotonic())) {
    ++clock_jumps_;
    log_("the wall clock was set from " + tick_text(jump->from) + " to " + tick_text(jump->to));
    if (const auto done = engine_.record({clock_jumped{jump->from, jump->to}}); !done)
      return done;
  }
  if (first_turn_ && !trusts_clock_) {
    timestamp last;
    for (const auto& [name, record] : records)
      last = std::max(last, record.last_at.value_or(timestamp{}));
    const auto snapshot = engine_.history();
    if (!snapshot)
      return snapshot.error();
    const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& run) {
      last = std::max({last, run.started_at, run.finished_at.value_or(timestamp{})});
      return false;
    });
    if (!visited)
      return visited.error();
    held_until_ = not_believed_until(now, last);
    if (held_until_)
      log_("the clock shows " + tick_text(now) + ", but the journal's last event was at " + tick_text(*held_until_) +
           ": schedules do not fire before the clock has passed that. If the clock is right, start with --trust-clock");
  }
  if (held_until_ && now >= *held_until_) {
    held_until_.reset();
    log_("the clock has passed the journal's last event: schedules fire again");
  }
  return {};
}

std::string trigger_desk::schedules_held() {
  const std::lock_guard lock(mutex_);
  return held_until_ ? "its ticks wait until the clock has passed " + tick_text(*held_until_) +
                           ", the journal's last event; `troupe serve --trust-clock` believes the clock"
                     : std::string();
}

result<trigger_desk::turn> trigger_desk::fire_due() {
  const std::lock_guard lock(mutex_);
  auto records = read_records();
  if (!records)
    return records.error();
  const auto now = time_.now();
  if (const auto noted = note_changed(*records, now); !noted)
    return noted.error();
  if (const auto paused = pause_failing(*records, now); !paused)
    return paused.error();
  if (const auto looked = look_at_clock(*records, now); !looked)
    return looked.error();
  turn out;
  if (held_until_)
    out.next = held_until_;
  for (const auto& of : pipelines_)
    for (const auto& what : of.set->triggers) {
      const auto at = target_of(of, what);
      const auto& record = (*records)[at.name()];
      const bool fires = what.enabled && !record.paused_at;
      if (std::holds_alternative<start_source>(what.source)) {
        if (!started_.insert(at.name()).second || !first_turn_ || !fires)
          continue;
        arrival start;
        start.source = event_source::start;
        start.refuses = false;
        if (const auto taken = take(at, {std::move(start)}); !taken) {
          if (taken.error().code == error_code::state_unusable || taken.error().code == error_code::stopped)
            return taken.error();
          complain(at.name(), taken.error().message);
        }
      } else if (fires && std::holds_alternative<assets_source>(what.source)) {
        if (const auto looked = look_at_changes(at, record, now, out); !looked)
          return looked.error();
      } else if (fires && what.schedule() != nullptr && !held_until_) {
        if (const auto looked = look_at(at, record, now, out); !looked)
          return looked.error();
      }
    }
  first_turn_ = false;
  return out;
}

result<void> trigger_desk::look_at(const target& at, const trigger_record& record, timestamp now, turn& out) {
  const auto look = look_at_schedule(*at.what, record, now);
  const auto name = at.name();
  if (look.forget) {
    log_("trigger " + name + ": the clock was set back to " + tick_text(now) +
         "; no tick fires twice, and ticks count from now on");
    if (const auto done = engine_.record({trigger_changed{name, now, record.definition}}); !done)
      return done;
  }
  if (look.missed) {
    log_("trigger " + name + ": " + std::to_string(look.missed->count) + " ticks were missed, from " +
         tick_text(look.missed->first) + " to " + tick_text(look.missed->last));
    if (const auto done =
            engine_.record({ticks_missed{name, now, look.missed->first, look.missed->last, look.missed->count}});
        !done)
      return done;
  }
  for (const auto& tick : look.due) {
    arrival due;
    due.source = event_source::schedule;
    due.nominal = tick.nominal;
    due.after = tick.after;
    due.refuses = false;
    const auto taken = take(at, {std::move(due)});
    if (taken) {
      if (taken->front().fate == event_fate::rejected)
        complain(name, "the tick of " + tick_text(tick.nominal) + " is rejected: " + taken->front().because);
      continue;
    }
    if (taken.error().code == error_code::state_unusable || taken.error().code == error_code::stopped)
      return taken.error();
    complain(name, "the tick of " + tick_text(tick.nominal) + " waits: " + taken.error().message);
    out.again = true;
    return {};
  }
  complaints_.erase(name);
  if (look.next && (!out.next || *look.next < *out.next))
    out.next = look.next;
  return {};
}

result<trigger_desk::target> trigger_desk::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return find_served(name);
}

result<trigger_desk::target> trigger_desk::find_served(const std::string& name) const {
  std::vector<target> found;
  for (const auto& of : pipelines_)
    for (const auto& what : of.set->triggers)
      if (auto at = target_of(of, what); name == what.name || name == at.name())
        found.push_back(std::move(at));
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    return fail(error_code::not_found, "the supervisor has no trigger \"" + name + "\"");
  std::string names;
  for (const auto& one : found)
    names += (names.empty() ? "" : ", ") + one.name();
  return fail(error_code::invalid_input, "several pipelines have a trigger \"" + name + "\": name one of " + names);
}

result<taken_event> trigger_desk::ask(const trigger_ask& asked) {
  if (asked.what == trigger_ask::verb::replay)
    return replay(asked);
  if (asked.what == trigger_ask::verb::forget)
    return forget(asked);
  if (asked.what == trigger_ask::verb::test) {
    const auto at = find(asked.name);
    return at ? test(*at, asked) : at.error();
  }
  std::optional<target> at;
  {
    const std::lock_guard lock(mutex_);
    auto found = find_served(asked.name);
    if (!found)
      return found.error();
    auto records = read_records();
    if (!records)
      return records.error();
    if (const auto noted = note_changed(*records, time_.now()); !noted)
      return noted.error();
    if (asked.what == trigger_ask::verb::pause || asked.what == trigger_ask::verb::resume)
      return pause_or_resume(*found, (*records)[found->name()], asked);
    if (asked.what == trigger_ask::verb::set_cursor)
      return set_cursor(*found, asked);
    if (asked.what == trigger_ask::verb::backfill)
      return backfill(*found, (*records)[found->name()], asked);
    if (asked.what == trigger_ask::verb::notify)
      if (const auto may = may_be_notified(*found, (*records)[found->name()]); !may)
        return may.error();
    at = std::move(*found);
  }
  arrival what;
  what.by = asked.by;
  what.key = asked.key;
  what.body = asked.body;
  what.params = asked.params;
  if (asked.what == trigger_ask::verb::fire) {
    what.source = event_source::fire;
    what.past_rules = true;
    what.apart = asked.apart;
  }
  auto taken = take(*at, {std::move(what)});
  if (!taken)
    return taken.error();
  return std::move(taken->front());
}

result<taken_event> trigger_desk::pause_or_resume(const target& at, const trigger_record& record,
                                                  const trigger_ask& asked) {
  const auto now = time_.now();
  const bool pauses = asked.what == trigger_ask::verb::pause;
  std::vector<event> events;
  if (pauses && at.what->enabled && !record.paused_at) // what was due, and nobody has looked at yet, is missed
    if (const auto gap = ticks_left_behind(*at.what, record, now))
      events.emplace_back(ticks_missed{at.name(), now, gap->first, gap->last, gap->count});
  events.push_back(pauses ? event(trigger_paused{at.name(), now, asked.reason, asked.by})
                          : event(trigger_resumed{at.name(), now, asked.by}));
  const auto done = engine_.record(std::move(events));
  if (!done)
    return done.error();
  log_("trigger " + at.name() + (pauses ? " is paused" : " is resumed"));
  tell_listeners();
  taken_event answer;
  answer.because = at.name();
  return answer;
}

result<taken_event> trigger_desk::set_cursor(const target& at, const trigger_ask& asked) {
  if (!std::holds_alternative<sensor_source>(at.what->source))
    return fail(error_code::invalid_input, "\"" + at.name() + "\" is no sensor: only sensors have a cursor");
  if (const auto done = engine_.record({cursor_moved{at.name(), time_.now(), asked.reason, asked.by}}); !done)
    return done.error();
  log_("trigger " + at.name() + ": its cursor was set");
  tell_listeners();
  taken_event answer;
  answer.because = at.name();
  return answer;
}

} // namespace troupe_internal::serve
