// Events of triggers: each is appended in one transaction with its fate or with the run that is queued for it.
#include "engine/planning.hpp"
#include "engine/serving_engine.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace troupe_internal {

namespace {

/// Whether a run is of the trigger, or of its pipeline.
bool is_of(const started_run& run, const event_intake& of) {
  if (run.pipeline != of.pipeline)
    return false;
  return of.scope == overlap_scope::pipeline ||
         (run.cause == cause_kind::trigger && run.trigger == of.ask.cause.trigger);
}

} // namespace

started_run serving_engine::kind_of(const run_queued& what) {
  return {what.cause.kind, what.cause.trigger, what.pipeline};
}

started_run serving_engine::kind_of(const run_record& record) {
  return {record.cause.kind, record.cause.trigger, record.pipeline};
}

void serving_engine::set_overlaps(trigger_overlaps overlaps) {
  const std::lock_guard lock(mutex_);
  overlaps_ = std::move(overlaps);
  wake_keeper();
}

std::optional<std::string> serving_engine::held_by_overlap(const run_queued& what,
                                                           const std::vector<started_run>& live) const {
  if (what.cause.kind != cause_kind::trigger)
    return std::nullopt;
  const auto known = overlaps_.find({what.pipeline, what.cause.trigger});
  const auto rule = known == overlaps_.end() ? trigger_overlap::own : known->second;
  if (rule == trigger_overlap::any)
    return std::nullopt;
  const auto is_beside = [&](const started_run& run) {
    return run.pipeline == what.pipeline && (rule == trigger_overlap::pipeline ||
                                             (run.cause == cause_kind::trigger && run.trigger == what.cause.trigger));
  };
  if (std::none_of(live.begin(), live.end(), is_beside))
    return std::nullopt;
  return rule == trigger_overlap::pipeline ? "overlap: another run of its pipeline is live"
                                           : "overlap: another run of its trigger is live";
}

result<void> serving_engine::record(std::vector<event> events) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  return append_and_wait(*with, std::move(events));
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

std::vector<open_trigger_run> serving_engine::open_runs(const event_intake& of) const {
  std::vector<open_trigger_run> open;
  for (const auto& [number, run] : live_)
    if (is_of(run, of))
      open.push_back({number, false, {}});
  for (const auto& run : left_open_) // those that cannot be resumed hold up nothing
    if (!run.resuming && run.problem.empty() && is_of(kind_of(run.record), of))
      open.push_back({run.record.run, false, {}});
  for (const auto& run : queue_)
    if (is_of(kind_of(run.what), of)) {
      const bool own = run.what.cause.kind == cause_kind::trigger && run.what.cause.trigger == of.ask.cause.trigger;
      open.push_back({run.what.run, own && !run.starting && !run.cancelled, run.what.request.params});
    }
  return open;
}

result<taken_event> serving_engine::settle_at_once(engine& with, event_taken what, event_fate fate, run_number run,
                                                   std::string because) {
  what.event = ++last_event_;
  what.bound_run = run;
  const auto settled = event_settled{what.event, what.at, fate, run, because};
  const taken_event taken{what.event, fate, run, what.duplicate_of, std::move(because)};
  if (const auto done = append_and_wait(with, {std::move(what), settled}); !done)
    return done.error();
  return taken;
}

result<taken_event> serving_engine::take_settled(event_taken what, event_fate fate, run_number run,
                                                 std::string because) {
  const std::lock_guard one_at_a_time(intake_);
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  return settle_at_once(*with, std::move(what), fate, run, std::move(because));
}

result<taken_event> serving_engine::take_event(event_intake intake) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_.empty())
      return unusable();
    if (stopping_ || ending_)
      return fail(error_code::stopped, "no event is taken in any more: the engine is stopping");
  }
  project_options where;
  where.file = intake.ask.file;
  where.state = how_.folder;
  where.params = intake.ask.params;
  where.only_regular = true;
  const auto on = versions_.open(where);
  if (!on)
    return on.error();
  run_options options;
  options.selection = intake.ask.selection;
  options.exclude = intake.ask.exclude;
  options.params = intake.ask.params;
  if (const auto scope = scope_of(*on, options); !scope)
    return scope.error();
  const auto request = request_of(*on, options);

  const std::lock_guard one_at_a_time(intake_);
  const in_use with(*this);
  std::promise<result<std::uint64_t>> joined;
  taken_event taken;
  event_decision decision;
  {
    const std::lock_guard lock(mutex_);
    if (!with)
      return unusable();
    decision = decide_event(intake.overlap, intake.queue, open_runs(intake), request.params);
    if (decision.becomes == event_decision::what::new_run && queue_.size() >= how_.most_queued) {
      decision.becomes = event_decision::what::refuse;
      decision.because = "the queue is full: " + std::to_string(queue_.size()) + " runs wait";
    }
    if (decision.becomes == event_decision::what::join) {
      // In the journal's order under the lock: the run may not start before this is recorded.
      auto& run = *find_queued(decision.joins);
      intake.what.event = ++last_event_;
      intake.what.bound_run = decision.joins;
      if (run.what.cause.events.size() < most_events_listed)
        run.what.cause.events.push_back(intake.what.event);
      taken = {intake.what.event, event_fate::coalesced, decision.joins, 0, {}};
      const event_settled settled{taken.event, intake.what.at, taken.fate, taken.run, {}};
      with->append({intake.what, settled},
                   [&](result<std::uint64_t> outcome) { joined.set_value(std::move(outcome)); });
    }
  }
  switch (decision.becomes) {
  case event_decision::what::join: {
    const auto outcome = joined.get_future().get();
    if (outcome)
      break;
    const std::lock_guard lock(mutex_);
    fail_with(outcome.error().message);
    return outcome.error();
  }
  case event_decision::what::refuse:
    if (intake.refuses)
      return fail(error_code::io, decision.because + ". Try again when one of them has started");
    [[fallthrough]];
  case event_decision::what::skip:
    return settle_at_once(*with, std::move(intake.what), event_fate::skipped, {}, decision.because);
  case event_decision::what::new_run: {
    auto queued = queue_for_event(*with, std::move(intake), request, on->p->name);
    if (!queued)
      return queued.error();
    taken = std::move(*queued);
    break;
  }
  }
  if (decision.cancels_live)
    cancel_live_of(*with, taken.run);
  return taken;
}

result<taken_event> serving_engine::queue_for_event(engine& with, event_intake intake, const run_request& request,
                                                    const std::string& pipeline) {
  run_queued what;
  what.at = time_.now();
  what.pipeline = pipeline;
  what.request = request;
  what.cause = std::move(intake.ask.cause);
  what.cause.kind = cause_kind::trigger;
  what.priority = intake.ask.priority;
  intake.what.event = ++last_event_;
  what.cause.events = {intake.what.event};
  const auto queued = with.enqueue(std::move(what), [&](const run_queued& numbered) {
    intake.what.bound_run = numbered.run;
    return std::vector<event>{intake.what};
  });
  const std::lock_guard lock(mutex_);
  if (!queued) {
    fail_with(queued.error().message);
    return unusable();
  }
  waiting_run waiting;
  waiting.what = *queued;
  queue_.push_back(std::move(waiting));
  wake_keeper();
  return taken_event{intake.what.event, event_fate::pending, queued->run, 0, {}};
}

void serving_engine::cancel_live_of(engine& with, run_number queued) {
  std::vector<run_number> ends;
  {
    const std::lock_guard lock(mutex_);
    const auto* const waiting = find_queued(queued);
    if (waiting == nullptr)
      return;
    const auto own = kind_of(waiting->what);
    for (const auto& [number, run] : live_)
      if (run.cause == own.cause && run.trigger == own.trigger && run.pipeline == own.pipeline)
        ends.push_back(number);
    to_cancel_.insert(ends.begin(), ends.end()); // those that are about to begin
  }
  for (const auto run : ends)
    if (with.stop(run, stop_cause::user, false)) {
      const std::lock_guard lock(mutex_);
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
