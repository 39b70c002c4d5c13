// Events of triggers: each is appended in one transaction with its fate or with the run that is queued for it.
#include "adapters/process/leftovers.hpp"
#include "engine/planning.hpp"
#include "engine/serving_engine.hpp"
#include "engine/taking_over.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace troupe_internal {

namespace {

/// Whether a run is of the trigger, or of its pipeline.
bool is_of(const started_run& run, const event_intake& of) {
  if (run.pipeline != of.pipeline)
    return false;
  return of.rules.scope == overlap_scope::pipeline ||
         (run.cause == cause_kind::trigger && run.trigger == of.ask.cause.trigger);
}

/// What the request of a run follows from, with its file.
std::string name_of(const event_intake& intake) {
  std::string name = intake.ask.file;
  for (const auto* list : {&intake.ask.selection, &intake.ask.exclude}) {
    name += '\0';
    for (const auto& one : *list)
      name += one + '\0';
  }
  for (const auto& [param, value] : intake.ask.params)
    name += param + '\0' + value + '\0';
  return name + std::to_string(intake.rules.timeout.value_or(duration::zero()).count());
}

} // namespace

started_run serving_engine::kind_of(const run_queued& what) {
  return {what.cause.kind, what.cause.trigger, what.pipeline};
}

started_run serving_engine::kind_of(const run_record& record) {
  return {record.cause.kind, record.cause.trigger, record.pipeline};
}

void serving_engine::set_rules(start_rule_map rules) {
  const std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
  rules_known_ = true;
  wake_keeper();
}

std::optional<held_run> serving_engine::held(const waiting_run& run, const std::vector<started_run>& live) const {
  if (how_.waits_for_rules && !rules_known_ && run.what.cause.kind == cause_kind::trigger) {
    held_run not_known;
    not_known.what = start_hold::load;
    return not_known;
  }
  return held_back(run.what, run.moments, rules_, live, starts_, time_.monotonic());
}

result<void> serving_engine::record(std::vector<event> events) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  return append_and_wait(*with, std::move(events));
}

result<std::size_t> serving_engine::take_over_from(const journal_snapshot& other, const std::string& pipeline) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  const auto own = with->snapshot_of_now();
  if (!own)
    return own.error();
  auto& names = with->names();
  const auto ids = ids_of_state(
      **own, {[&](std::string_view name, std::string identity) { return names.asset(name, std::move(identity)); },
              [&](std::string_view name) { return names.path(name); }});
  if (!ids)
    return ids.error();
  auto taken = take_over(other, pipeline, *ids, time_.now());
  if (!taken)
    return taken.error();
  if (!taken->events.empty())
    if (const auto written = append_and_wait(*with, std::move(taken->events)); !written)
      return written.error();
  return taken->assets;
}

result<void> serving_engine::start_command(process_request request, process_key& key,
                                           std::function<void(process_exit)> exited) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  const auto snapshot = with->snapshot();
  if (!snapshot)
    return snapshot.error();
  request.environment.push_back("TROUPE_STATE_ID=" + to_string((*snapshot)->info().id));
  if (auto mark = own_supervisor_mark(); !mark.empty())
    request.environment.push_back(std::string(supervisor_variable) + mark);
  auto& processes = *with->processes();
  key = request.key = processes.new_key();
  processes.start(std::move(request), {}, std::move(exited));
  return {};
}

void serving_engine::end_command(process_key key, urgency how) {
  if (const in_use with(*this); with)
    with->processes()->end(key, how);
}

result<std::unique_ptr<journal_snapshot>> serving_engine::history_of_now() {
  const in_use with(*this);
  if (with)
    return with->snapshot_of_now();
  const std::lock_guard lock(mutex_);
  return unusable();
}

result<void> serving_engine::append_and_wait(engine& with, std::vector<event> events) {
  std::promise<result<std::uint64_t>> done;
  with.append(std::move(events), [&](result<std::uint64_t> outcome) { done.set_value(std::move(outcome)); });
  const auto outcome = done.get_future().get();
  if (outcome)
    return {};
  const std::lock_guard lock(mutex_);
  fail_with(outcome.error().message);
  return outcome.error();
}

std::vector<open_trigger_run> serving_engine::open_runs(const event_intake& of,
                                                        const std::vector<waiting_run>& also) const {
  const auto now = time_.monotonic();
  std::vector<open_trigger_run> open;
  for (const auto& [number, run] : live_)
    if (is_of(run, of))
      open.push_back({number, false, {}});
  for (const auto& run : left_open_) // those that cannot be resumed hold up nothing
    if (!run.resuming && run.problem.empty() && is_of(kind_of(run.record), of))
      open.push_back({run.record.run, false, {}});
  for (const auto* runs : {&queue_, &also})
    for (const auto& run : *runs)
      if (is_of(kind_of(run.what), of)) {
        const bool own = run.what.cause.kind == cause_kind::trigger && run.what.cause.trigger == of.ask.cause.trigger;
        open.push_back({run.what.run, own && !run.starting && !run.cancelled, run.what.request.params,
                        run.moments.quiet_until > now, run.what.conditions.group});
      }
  return open;
}

struct serving_engine::event_batch {
  run_number next_run;
  std::uint64_t next_event = 1;
  std::vector<event> events;
  std::vector<waiting_run> queued; ///< new runs
  struct joining {
    std::vector<event_taken> events;
    bool quiet_again = false;
    run_queued what; ///< with the params of the last event, and its time
  };
  std::map<run_number, joining> joins; ///< runs that waited before
  std::vector<run_number> replacing;
  std::vector<taken_event> taken;

  [[nodiscard]] waiting_run* find(run_number run) {
    const auto at = std::find_if(queued.begin(), queued.end(), [&](const auto& one) { return one.what.run == run; });
    return at == queued.end() ? nullptr : &*at;
  }
  /// The event is in, and this is what becomes of it.
  void settle(event_taken what, event_fate fate, run_number run, std::string because) {
    what.event = next_event++;
    what.bound_run = run;
    const auto settled = event_settled{what.event, what.at, fate, run, because};
    taken.push_back({what.event, fate, run, what.duplicate_of, std::move(because)});
    events.emplace_back(std::move(what));
    events.emplace_back(settled);
  }
};

result<run_queued> serving_engine::run_for(const event_intake& intake) {
  run_queued what;
  what.cause = intake.ask.cause;
  if (what.cause.kind != cause_kind::backfill)
    what.cause.kind = cause_kind::trigger;
  what.priority = intake.ask.priority;
  what.conditions = conditions_for(intake.rules, intake.what.trigger, intake.what.at, intake.what.nominal);
  const auto file = identity_of(intake.ask.file);
  const auto name = name_of(intake);
  if (file) {
    const std::lock_guard lock(requests_mutex_);
    if (const auto known = requests_.find(name); known != requests_.end() && known->second.file == *file) {
      what.pipeline = known->second.pipeline;
      what.request = known->second.request;
      return what;
    }
  }
  project_options where;
  where.file = intake.ask.file;
  where.state = how_.folder;
  where.params = intake.ask.params;
  where.only_regular = true;
  const auto on = load(where);
  if (!on)
    return on.error();
  run_options options;
  options.selection = intake.ask.selection;
  options.exclude = intake.ask.exclude;
  options.params = intake.ask.params;
  options.timeout = intake.rules.timeout.value_or(duration::zero());
  if (const auto scope = scope_of(*on, options); !scope)
    return scope.error();
  what.pipeline = on->p->name;
  what.request = request_of(*on, options);
  if (file && identity_of(intake.ask.file) == file) {
    const std::lock_guard lock(requests_mutex_);
    if (requests_.size() >= most_requests)
      requests_.clear();
    requests_.insert_or_assign(name, known_request{*file, what.pipeline, what.request});
  }
  return what;
}

result<run_queued> serving_engine::run_or_fate(event_intake& intake) {
  auto run = run_for(intake);
  if (run || run.error().code != error_code::invalid_input || intake.ask.params.empty())
    return run;
  auto without = intake;
  without.ask.params.clear();
  if (!run_for(without)) // its pipeline does not load: that may be mended
    return run;
  intake.fate = event_fate::rejected;
  intake.because = run.error().message;
  intake.what.key.clear();
  return run_queued{};
}

void serving_engine::join_run(event_batch& to, const event_intake& intake, const run_queued& asked, run_number joined) {
  auto* const fresh = to.find(joined);
  run_queued* what = nullptr;
  if (fresh != nullptr) {
    what = &fresh->what;
    fresh->add(intake.what);
  } else {
    auto& into = to.joins.try_emplace(joined, event_batch::joining{{}, false, find_queued(joined)->what}).first->second;
    into.events.push_back(intake.what);
    into.quiet_again = into.quiet_again || intake.rules.quiet > duration::zero();
    what = &into.what;
  }
  to.settle(intake.what, event_fate::coalesced, joined, {});
  if (what->request.params == asked.request.params && what->conditions.expires == asked.conditions.expires)
    return;
  what->request.params = asked.request.params;
  what->conditions.expires = asked.conditions.expires; // the newest event has all of its time
  to.events.emplace_back(*what);
}

result<void> serving_engine::add_event(event_batch& to, event_intake intake, run_queued run) {
  for (auto& one : intake.with)
    to.events.push_back(std::move(one));
  if (intake.same_key_as) {
    const auto first = to.taken.at(*intake.same_key_as);
    intake.what.duplicate_of = first.event;
    to.settle(std::move(intake.what), event_fate::duplicate, first.run, {});
    return {};
  }
  if (intake.fate) {
    to.settle(std::move(intake.what), *intake.fate, intake.settled_run, std::move(intake.because));
    to.taken.back().key_conflict = intake.key_conflict;
    return {};
  }
  auto decision = decide_event(intake.rules, open_runs(intake, to.queued), run.request.params);
  if (run.conditions.expires && *run.conditions.expires <= time_.now()) {
    to.settle(std::move(intake.what), event_fate::expired, {}, "it came too late to start within its time");
    return {};
  }
  const auto waiting = queue_.size() + to.queued.size();
  if (decision.becomes == event_decision::what::new_run && waiting >= how_.most_queued) {
    decision.becomes = event_decision::what::refuse;
    decision.because = "the queue is full: " + std::to_string(waiting) + " runs wait";
  }
  switch (decision.becomes) {
  case event_decision::what::refuse:
    if (intake.refuses)
      return fail(error_code::busy, decision.because + ". Try again when one of them has started");
    [[fallthrough]];
  case event_decision::what::skip:
    to.settle(std::move(intake.what), event_fate::skipped, {}, decision.because);
    return {};
  case event_decision::what::join:
    intake.what.event = to.next_event;
    join_run(to, intake, run, decision.joins);
    break;
  case event_decision::what::new_run: {
    run.run = decision.joins = to.next_run;
    to.next_run = run_number(to.next_run.value + 1);
    run.at = time_.now();
    run.id = make_uuid_v7(run.at, time_.random(), time_.random());
    intake.what.event = to.next_event++;
    intake.what.bound_run = run.run;
    run.cause.events = {intake.what.event};
    to.taken.push_back({intake.what.event, event_fate::pending, run.run, 0, {}});
    to.events.emplace_back(intake.what);
    to.events.emplace_back(run);
    waiting_run queued;
    queued.what = std::move(run);
    queued.events.push_back(std::move(intake.what));
    queued.recorded = false;
    queued.moments = moments_of(queued.what.conditions, queued.what.at, time_.now(), time_.monotonic());
    to.queued.push_back(std::move(queued));
    break;
  }
  }
  if (decision.cancels_live)
    to.replacing.push_back(decision.joins);
  return {};
}

void serving_engine::append_batch(engine& with, event_batch batch, when_taken durable) {
  last_event_ = batch.next_event - 1;
  for (auto& [number, joined] : batch.joins) {
    auto& run = *find_queued(number);
    for (const auto& one : joined.events)
      run.add(one);
    run.what.request.params = std::move(joined.what.request.params);
    run.what.conditions.expires = joined.what.conditions.expires;
    run.moments.expires = moments_of(run.what.conditions, run.what.at, time_.now(), time_.monotonic()).expires;
    if (joined.quiet_again)
      begin_quiet_again(run.moments, run.what.conditions, time_.monotonic());
    wake_keeper();
  }
  std::vector<run_number> queued;
  for (auto& run : batch.queued) {
    queued.push_back(run.what.run);
    queue_.push_back(std::move(run));
  }
  // In the journal's order under the lock: a run that is joined may not start, or leave, before this is recorded.
  with.append(std::move(batch.events),
              [this, queued = std::move(queued), replacing = std::move(batch.replacing), taken = std::move(batch.taken),
               durable = std::move(durable)](const result<std::uint64_t>& outcome) {
                {
                  const std::lock_guard lock(mutex_);
                  if (!outcome) {
                    fail_with(outcome.error().message);
                  } else {
                    for (const auto run : queued)
                      if (auto* const waiting = find_queued(run))
                        waiting->recorded = true;
                    replacing_.insert(replacing_.end(), replacing.begin(), replacing.end());
                    if (!queued.empty() || !replacing.empty())
                      wake_keeper();
                  }
                }
                durable(outcome ? result<std::vector<taken_event>>(taken) : outcome.error());
              });
}

result<std::vector<taken_event>> serving_engine::would_take(std::vector<event_intake> all) {
  return take_events(std::move(all), nullptr);
}

result<std::vector<taken_event>> serving_engine::take_events(std::vector<event_intake> all, when_taken durable) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_.empty())
      return unusable();
    if (stopping_ || ending_)
      return fail(error_code::stopped, "no event is taken in any more: the engine is stopping");
  }
  std::vector<run_queued> runs(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].fate && !all[i].same_key_as) {
      auto run = run_or_fate(all[i]);
      if (!run)
        return run.error();
      runs[i] = std::move(*run);
    }
  const std::lock_guard one_at_a_time(intake_);
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  result<std::vector<taken_event>> outcome = std::vector<taken_event>();
  with->number_runs([&](run_number next) -> std::uint32_t {
    event_batch batch;
    batch.next_run = next;
    batch.next_event = last_event_ + 1;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const auto added = add_event(batch, std::move(all[i]), std::move(runs[i])); !added) {
        outcome = added.error();
        return 0;
      }
    outcome = batch.taken;
    if (!durable)
      return 0;
    const auto used = static_cast<std::uint32_t>(batch.queued.size());
    append_batch(*with, std::move(batch), std::move(durable));
    return used;
  });
  return outcome;
}

result<std::vector<taken_event>> serving_engine::take_events(std::vector<event_intake> all) {
  std::promise<result<std::vector<taken_event>>> done;
  auto taken = take_events(std::move(all), [&](auto outcome) { done.set_value(std::move(outcome)); });
  return taken ? done.get_future().get() : taken;
}

void serving_engine::end_what_gives_way(std::unique_lock<std::mutex>& lock) {
  for (const auto queued : std::exchange(replacing_, {})) {
    const auto* const waiting = find_queued(queued);
    if (waiting == nullptr || !failed_.empty())
      continue;
    if (std::max(waiting->moments.quiet_until, waiting->moments.not_before) > time_.monotonic()) {
      replacing_.push_back(queued); // the live ones go on until it may start
      continue;
    }
    const auto own = kind_of(waiting->what);
    for (auto& run : queue_)
      if (run.starting && run.what.cause.kind == own.cause && run.what.cause.trigger == own.trigger &&
          run.what.pipeline == own.pipeline)
        run.cancelled = true;
    std::vector<run_number> ends;
    for (const auto& [number, run] : live_)
      if (run.cause == own.cause && run.trigger == own.trigger && run.pipeline == own.pipeline)
        ends.push_back(number);
    to_cancel_.insert(ends.begin(), ends.end()); // those that are about to begin
    auto& with = *engine_;                       // only this thread takes it away
    lock.unlock();
    std::erase_if(ends, [&](run_number run) { return !with.stop(run, stop_cause::user, false); });
    lock.lock();
    for (const auto run : ends)
      to_cancel_.erase(run);
  }
}

void serving_engine::set_triggers(trigger_port* triggers) {
  const std::lock_guard lock(triggers_mutex_);
  triggers_ = triggers;
}

void serving_engine::ask_trigger(trigger_ask asked, std::function<void(result<taken_event>)> then) {
  planners_->submit([this, asked = std::move(asked), then = std::move(then)] {
    const std::lock_guard lock(triggers_mutex_);
    then(triggers_ == nullptr ? control_port::no_triggers() : triggers_->ask(asked));
  });
}

} // namespace troupe_internal
