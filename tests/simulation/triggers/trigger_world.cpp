// The supervisor's steps.
#include "trigger_world.hpp"

#include "../require.hpp"
#include "core/model/run_record.hpp"

#include <algorithm>

namespace troupe_internal::test {

using namespace std::chrono_literals;

namespace {

constexpr queue_limits limits{3, 64};
constexpr std::uint32_t most_queued = 60;

} // namespace

trigger_world::trigger_world(std::uint64_t seed) : dice_(seed), case_(make_case(dice_)), files_(case_.triggers) {
  append(names_interned{asset_id(0U), {"p/a", "p/b", "p/c"}, {}});
  commit();
}

// ---- the journal

void trigger_world::append(const event& e) {
  const auto done = fold_.apply(now_.state.last_seq + 1, e);
  require(done.has_value(), "(0) " + (done ? std::string() : done.error().message));
  coming_.push_back(e);
}

void trigger_world::commit() {
  for (const auto& e : coming_) {
    books_.committed(e);
    if (const auto* end = std::get_if<run_finished>(&e); end != nullptr && !end->trigger.empty()) {
      if (end->status == run_status::failed)
        ++failures_[end->trigger];
      else if (end->status == run_status::succeeded)
        failures_[end->trigger] = 0;
    } else if (const auto* resumed = std::get_if<trigger_resumed>(&e); resumed != nullptr) {
      const auto known = disk_.triggers.find(trigger_key(resumed->trigger));
      if (known != disk_.triggers.end() && known->second.paused_at)
        failures_[resumed->trigger] = 0;
    }
    all_.push_back(e);
  }
  coming_.clear();
  disk_ = now_;
  for (const auto event : std::exchange(to_acknowledge_, {}))
    books_.acknowledged(event);
  books_.compare(disk_);
}

void trigger_world::append_durably(const std::vector<event>& events) {
  if (case_.kills && dice_.one_in(60))
    throw killed();
  for (const auto& e : events)
    append(e);
  if (case_.kills && dice_.one_in(60))
    throw killed();
  commit();
  if (case_.kills && dice_.one_in(60))
    throw killed();
}

// ---- the supervisor

void trigger_world::kill() {
  ++figures_.kills;
  if (dice_.one_in(3)) // what had been appended got on disk all the same
    commit();
  coming_.clear();
  to_acknowledge_.clear();
  now_ = disk_;
  up_ = false;
  queue_.clear();
  live_.clear();
  books_.begin_again();
}

void trigger_world::start() {
  up_ = true;
  last_event_ = now_.state.last_event;
  last_run_ = now_.state.last_run.value;
  starts_ = start_ledger();
  load();
  for (const auto& [key, record] : now_.triggers)
    starts_.recall(record.trigger, record.starts, wall_, steady_);
  for (const auto& [number, queued] : now_.queue) {
    waiting run;
    run.what = queued;
    run.moments = moments_of(queued.conditions, queued.at, wall_, steady_);
    run.queued = run.joined_last = steady_;
    run.of = loaded(queued.cause.trigger);
    queue_.push_back(std::move(run));
  }
}

void trigger_world::load() {
  loaded_ = files_;
  rules_.clear();
  for (const auto& of : loaded_)
    rules_.emplace(std::pair(std::string(pipeline_name), of.name), start_rule_of(of));
  for (auto& run : queue_)
    run.of = loaded(run.what.cause.trigger);
}

const trigger* trigger_world::loaded(const std::string& name) const {
  for (const auto& of : loaded_)
    if (of.name == name)
      return &of;
  return nullptr;
}

const trigger_record* trigger_world::record_of_disk(const trigger& of) const {
  const auto found = disk_.triggers.find(trigger_key(name_of(of)));
  return found == disk_.triggers.end() ? nullptr : &found->second;
}

void trigger_world::look() {
  std::vector<event> changes;
  for (const auto& of : loaded_) {
    const auto* record = record_of_disk(of);
    if (record == nullptr || record->definition != definition_of(of))
      changes.emplace_back(trigger_changed{name_of(of), wall_, definition_of(of)});
  }
  if (!changes.empty())
    append_durably(changes);
  changes.clear();
  for (const auto& of : loaded_) {
    const auto& record = *record_of_disk(of);
    require(record.failures == failures_[name_of(of)], "(11) other failures in a row are counted than there were");
    if (!of.pause_after_failures || record.paused_at || record.failures < *of.pause_after_failures)
      continue;
    paused_ever_.insert(of.name);
    if (of.enabled)
      if (const auto gap = ticks_left_behind(of, record, wall_))
        changes.emplace_back(ticks_missed{name_of(of), wall_, gap->first, gap->last, gap->count});
    changes.emplace_back(trigger_paused{name_of(of), wall_, "failures", {}});
  }
  if (!changes.empty())
    append_durably(changes);
  for (const auto& of : loaded_) {
    if (!of.enabled || record_of_disk(of)->paused_at)
      continue;
    if (of.schedule() != nullptr)
      look_at_schedule_of(of);
    else if (std::holds_alternative<assets_source>(of.source))
      look_at_assets_of(of);
  }
}

void trigger_world::look_at_schedule_of(const trigger& of) {
  const auto found = look_at_schedule(of, *record_of_disk(of), wall_);
  if (found.forget) {
    changed_ever_.insert(of.name);
    append_durably({trigger_changed{name_of(of), wall_, definition_of(of)}});
  }
  if (found.missed)
    append_durably({ticks_missed{name_of(of), wall_, found.missed->first, found.missed->last, found.missed->count}});
  for (const auto& tick : found.due) {
    auto one = intake_of(of, event_source::schedule);
    one.what.nominal = tick.nominal;
    one.what.after = tick.after;
    ++figures_.ticks;
    if (!take({std::move(one)}))
      return;
  }
}

void trigger_world::look_at_assets_of(const trigger& of) {
  const auto& source = std::get<assets_source>(of.source);
  const auto record = *record_of_disk(of);
  const auto name = name_of(of);
  std::vector<followed_asset> followed;
  std::map<asset_id, run_number> makers;
  for (const auto& reference : source.assets) {
    const asset_id asset(static_cast<std::uint32_t>(reference.asset[0] - 'a'));
    asset_record state;
    if (const auto known = disk_.assets.find(asset); known != disk_.assets.end())
      state = known->second;
    followed_asset one{asset, state.changed_seq, state.changed_at, false};
    if (const auto run = disk_.runs.find(state.changed_run); run != disk_.runs.end())
      one.by_own_run = trigger_of(run->second.pipeline, run->second.cause) == name;
    makers[asset] = state.changed_run;
    followed.push_back(one);
  }
  const auto found = look_at_assets(source, record.seen, record.flags, followed, wall_);
  if (!found.moved)
    return;
  const changes_seen seen{name, wall_, disk_.state.last_seq, found.flags, found.lapsed};
  if (found.fires.empty())
    return append_durably({seen});
  auto one = intake_of(of, event_source::assets);
  for (const auto asset : found.fires)
    if (const auto run = disk_.runs.find(makers[asset]); run != disk_.runs.end()) {
      auto chain = run->second.cause.chain;
      const auto caused = trigger_of(run->second.pipeline, run->second.cause);
      if (chain.empty() && !caused.empty())
        chain.push_back(caused);
      if (chain.size() > one.chain.size())
        one.chain = std::move(chain);
    }
  one.chain = chain_after(one.chain, name);
  const auto turns = static_cast<std::size_t>(std::count(one.chain.begin(), one.chain.end(), name));
  require(one.chain.size() <= most_in_chain + 1 && turns <= most_turns + 1,
          "(12) triggers cause each other without end");
  if (const auto circle = circle_in(one.chain)) {
    paused_ever_.insert(of.name);
    return append_durably({trigger_paused{name, wall_, *circle, {}}});
  }
  one.with.emplace_back(seen);
  one.refuses = true;
  ++figures_.changes;
  static_cast<void>(take({std::move(one)}));
}

std::vector<started_run> trigger_world::live_now() const {
  std::vector<started_run> found;
  for (const auto& [number, run] : live_)
    found.push_back(run.kind);
  return found;
}

void trigger_world::keep() {
  for (auto at = queue_.begin(); at != queue_.end();)
    if (at->moments.expires <= steady_) {
      append(run_dequeued{at->what.run, wall_, dequeue_reason::expired, {}});
      ++figures_.expired;
      at = queue_.erase(at);
    } else {
      ++at;
    }
  for (auto& run : queue_)
    if (run.cancels_live && std::max(run.moments.quiet_until, run.moments.not_before) <= steady_) {
      run.cancels_live = false;
      for (auto& [number, other] : live_)
        if (other.kind.cause == run.what.cause.kind && other.kind.trigger == run.what.cause.trigger) {
          other.cancelled = true;
          other.ends = std::min(other.ends, steady_ + 500ms);
        }
    }
  for (;;) {
    std::vector<queued_run> places;
    std::vector<std::size_t> which;
    const auto lives = live_now();
    for (std::size_t i = 0; i < queue_.size(); ++i) {
      const auto& run = queue_[i];
      if (run.due > steady_)
        continue;
      if (held_back(run.what, run.moments, rules_, lives, starts_, steady_)) {
        ++figures_.held;
        continue;
      }
      places.push_back({run.what.run, run.what.cause.kind, run.what.priority, run.what.at, run.what.run.value,
                        run.what.cause.kind == cause_kind::backfill ? run.what.cause.trigger : std::string()});
      which.push_back(i);
    }
    const auto next = next_to_start(places, lives, limits, wall_);
    if (!next)
      return;
    start_run(which[*next]);
  }
}

void trigger_world::start_run(std::size_t place) {
  auto run = queue_[place];
  const auto name = trigger_of(pipeline_name, run.what.cause);
  const bool counts = run.what.cause.kind == cause_kind::trigger;
  if (counts)
    starts_.note(name, steady_);
  if (dice_.one_in(12)) { // its pipeline does not load
    if (counts)
      starts_.forget(name, steady_);
    queue_[place].due = steady_ + 1s;
    return;
  }
  judged_start judged{run.what, run.of, steady_, run.joined_last, run.queued, wall_, false};
  for (const auto& [number, other] : live_)
    judged.other_lives =
        judged.other_lives || (other.kind.cause == cause_kind::trigger && other.kind.trigger == run.what.cause.trigger);
  books_.started(judged, case_.calm);
  ++figures_.runs;
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(place));
  run_started start{run.what.run, run.what.id, wall_, pipeline_name};
  start.request = run.what.request;
  start.cause = run.what.cause;
  append(start);
  live_[run.what.run] = {{run.what.cause.kind, run.what.cause.trigger, pipeline_name}, steady_ + dice_.span(), false};
}

void trigger_world::end_runs() {
  for (auto at = live_.begin(); at != live_.end();) {
    if (at->second.ends > steady_) {
      ++at;
      continue;
    }
    if (dice_.one_in(2))
      change_assets(at->first);
    run_finished end{at->first, wall_, run_status::succeeded, {}};
    if (at->second.cancelled)
      end.status = run_status::cancelled;
    else if (dice_.one_in(3))
      end.status = run_status::failed;
    end.trigger = trigger_of(pipeline_name, {at->second.kind.cause, at->second.kind.trigger, {}, {}});
    append(end);
    at = live_.erase(at);
  }
}

void trigger_world::change_assets(run_number run) {
  attempt_finished made{run, asset_id(static_cast<std::uint32_t>(dice_.below(assets_in_case))), 1, wall_};
  made.made.emplace();
  made.made->full = true;
  if (!dice_.one_in(3)) // else it is as it was
    made.made->data_version = quick_digest(std::to_string(++versions_));
  append(made);
}

// ---- taking events in, as serving_engine does

trigger_world::intake trigger_world::intake_of(const trigger& of, event_source source) {
  intake one;
  one.of = &of;
  one.what.trigger = name_of(of);
  one.what.source = source;
  one.what.at = wall_;
  one.rules = rules_of(of);
  if (!of.params.empty())
    one.params = {{"day", std::to_string(dice_.below(2))}};
  return one;
}

std::vector<open_trigger_run> trigger_world::open_runs(const intake& of) const {
  std::vector<open_trigger_run> open;
  const auto is_of = [&](const started_run& run) {
    return of.rules.scope == overlap_scope::pipeline ||
           (run.cause == cause_kind::trigger && run.trigger == of.of->name);
  };
  for (const auto& [number, run] : live_)
    if (is_of(run.kind))
      open.push_back({number, false, {}});
  for (const auto& run : queue_)
    if (is_of({run.what.cause.kind, run.what.cause.trigger, pipeline_name})) {
      const bool own = run.what.cause.kind == cause_kind::trigger && run.what.cause.trigger == of.of->name;
      open.push_back(
          {run.what.run, own, run.what.request.params, run.moments.quiet_until > steady_, run.what.conditions.group});
    }
  return open;
}

void trigger_world::join(waiting& run, const intake& one, const param_list& params) {
  ++figures_.joined;
  run.what.cause.events.push_back(one.what.event);
  append(one.what);
  append(event_settled{one.what.event, wall_, event_fate::coalesced, run.what.run, {}});
  if (one.rules.quiet > duration::zero()) {
    begin_quiet_again(run.moments, run.what.conditions, steady_);
    run.joined_last = steady_;
  }
  require(one.rules.coalesce == coalesce_rule::last || run.what.request.params == params,
          "(13) events with other params become one run");
  const auto expires = expiry_of(one.rules, wall_, one.what.nominal);
  if (run.what.request.params == params && run.what.conditions.expires == expires)
    return;
  run.what.request.params = params;
  run.what.conditions.expires = expires;
  run.moments.expires = moments_of(run.what.conditions, run.what.at, wall_, steady_).expires;
  append(run.what);
}

bool trigger_world::take(std::vector<intake> all) {
  if (case_.kills && dice_.one_in(60))
    throw killed();
  std::vector<std::pair<event_decision, start_conditions>> decided;
  std::size_t fresh = 0;
  for (const auto& one : all) { // all or none
    auto conditions = conditions_for(one.rules, one.what.trigger, wall_, one.what.nominal);
    auto decision = decide_event(one.rules, open_runs(one), one.params);
    if (decision.becomes == event_decision::what::new_run && queue_.size() + fresh++ >= most_queued)
      decision.becomes = event_decision::what::refuse;
    if (decision.becomes == event_decision::what::refuse && one.refuses)
      return false;
    decided.emplace_back(std::move(decision), std::move(conditions));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& one = all[i];
    const auto& [decision, conditions] = decided[i];
    for (const auto& e : one.with)
      append(e);
    one.what.event = ++last_event_;
    ++figures_.events;
    to_acknowledge_.push_back(one.what.event);
    const auto settle = [&](event_fate fate) {
      append(one.what);
      append(event_settled{one.what.event, wall_, fate, {}, {}});
    };
    if (conditions.expires && *conditions.expires <= wall_) {
      settle(event_fate::expired);
    } else if (decision.becomes == event_decision::what::join) {
      const auto at = std::find_if(queue_.begin(), queue_.end(),
                                   [&, joins = decision.joins](const auto& run) { return run.what.run == joins; });
      require(at != queue_.end(), "(3) an event joins a run that does not wait");
      one.what.bound_run = at->what.run;
      at->cancels_live = at->cancels_live || decision.cancels_live;
      join(*at, one, one.params);
    } else if (decision.becomes == event_decision::what::new_run) {
      waiting run;
      run.what.run = run_number(++last_run_);
      run.what.at = wall_;
      run.what.pipeline = pipeline_name;
      run.what.request.params = one.params;
      run.what.cause = {one.what.source == event_source::backfill ? cause_kind::backfill : cause_kind::trigger,
                        one.of->name,
                        {one.what.event},
                        {},
                        {},
                        one.chain};
      run.what.priority = one.of->priority;
      run.what.conditions = conditions;
      run.moments = moments_of(conditions, wall_, wall_, steady_);
      run.queued = run.joined_last = steady_;
      run.cancels_live = decision.cancels_live;
      run.of = one.of;
      one.what.bound_run = run.what.run;
      append(one.what);
      append(run.what);
      queue_.push_back(std::move(run));
      if (!one.rules.apart && one.rules.quiet == duration::zero() && !one.of->debounce) {
        const auto waits = std::count_if(queue_.begin(), queue_.end(), [&](const waiting& other) {
          return other.what.cause.kind == cause_kind::trigger && other.what.cause.trigger == one.of->name &&
                 other.moments.quiet_until <= steady_;
        });
        require(static_cast<std::uint64_t>(waits) <= one.of->queue.bound, "(14) more runs wait than the queue's bound");
      }
    } else {
      settle(event_fate::skipped);
    }
  }
  if (case_.kills && dice_.one_in(60))
    throw killed();
  commit();
  return true;
}

trigger_figures simulate_triggers(std::uint64_t seed) {
  return trigger_world(seed).play();
}

} // namespace troupe_internal::test
