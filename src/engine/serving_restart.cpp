// The stop of an engine that stays up, and what the next one does with the runs that were left open. Knows no order of
// the queue.
#include "engine/serving_engine.hpp"

#include "core/run/left_open.hpp"
#include "engine/planning.hpp"
#include "engine/run_history.hpp"
#include "engine/silent_observer.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal {

namespace {

std::string called(run_number run) {
  return "run #" + std::to_string(run.value);
}

/// How often a run was resumed in vain.
result<std::uint32_t> vain_resumptions_of(const journal_snapshot& snapshot, const run_record& record) {
  vain_resumptions counted;
  run_state state;
  const auto folded = fold_run(snapshot, record, record.first_seq, state, [&](const event& e) { counted.add(e); });
  return folded ? counted.count() : result<std::uint32_t>(folded.error());
}

} // namespace

void serving_engine::note(const std::string& line) const {
  if (how_.opening.note)
    how_.opening.note(line);
}

serving_engine::left_open_run* serving_engine::find_left_open(run_number run) {
  const auto at = std::find_if(left_open_.begin(), left_open_.end(),
                               [run](const left_open_run& one) { return one.record.run == run; });
  return at == left_open_.end() ? nullptr : &*at;
}

std::vector<std::pair<run_number, std::string>> serving_engine::left_open() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<run_number, std::string>> found;
  for (const auto& run : left_open_)
    found.emplace_back(run.record.run, run.problem);
  return found;
}

result<std::vector<serving_engine::left_open_run>> serving_engine::read_left_open(engine& with) {
  const auto snapshot = with.snapshot();
  if (!snapshot)
    return snapshot.error();
  std::vector<left_open_run> found;
  const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& record) {
    if (record.served && !record.finished_at && !never_started(record)) {
      left_open_run one;
      one.record = record;
      found.push_back(std::move(one));
    }
    return true;
  });
  if (!visited)
    return visited.error();
  std::sort(found.begin(), found.end(),
            [](const left_open_run& a, const left_open_run& b) { return a.record.first_seq < b.record.first_seq; });
  return found;
}

bool serving_engine::resume_what_may() {
  const auto now = steady::now();
  for (auto& run : left_open_)
    if (run.resuming)
      return true; // one after the other: a run that began first goes first
  const auto next = std::find_if(left_open_.begin(), left_open_.end(),
                                 [&](const left_open_run& run) { return run.problem.empty() || run.due <= now; });
  if (next == left_open_.end())
    return false;
  if (live_or_starting().size() >= how_.limits.live_runs)
    return next->problem.empty();
  next->resuming = true;
  note_live(next->record.run, kind_of(next->record), next->record.request.timeout, next->record.started_at);
  planners_->submit([this, record = next->record] { restart(record); });
  return true;
}

void serving_engine::restart(const run_record& record) {
  const in_use with(*this);
  bool ends = false;
  {
    const std::lock_guard lock(mutex_);
    ends = ending_ || stopping_;
  }
  result<void> done;
  if (with && !ends)
    done = try_to_restart(*with, record);
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    wake_keeper();
    auto* const left = find_left_open(record.run);
    if (left == nullptr) // it lives, or has ended
      return;
    left->resuming = false;
    forget_live(record.run);
    if (!with || ends)
      return;
    cancelled = to_cancel_.erase(record.run) > 0;
    if (cancelled || done) {
      std::erase_if(left_open_, [&](const left_open_run& one) { return one.record.run == record.run; });
    } else {
      if (left->problem != done.error().message)
        note(called(record.run) + " stays interrupted: " + done.error().message);
      left->problem = done.error().message;
      left->pause = std::min(std::max(2 * left->pause, how_.look_again), how_.look_again_most);
      left->due = steady::now() + left->pause;
    }
    if (cancelled && !done)
      leaving_.insert(record.run);
  }
  if (cancelled && !done)
    end_left_open(record.run);
  else if (done)
    tell(record.run, run_status::cancelled); // it ended, and did not come to live
}

result<void> serving_engine::try_to_restart(engine& with, const run_record& record) {
  if (how_.on_restart == restart_rule::abandon) {
    note(called(record.run) + " was left open, and ends as cancelled (on_restart: abandon)");
    return with.end_left_open(record.run);
  }
  {
    const auto snapshot = with.snapshot();
    if (!snapshot)
      return snapshot.error();
    const auto times = vain_resumptions_of(**snapshot, record);
    if (!times)
      return times.error();
    if (*times >= how_.most_vain_resumptions)
      return give_up(with, record, *times);
  }
  bool has_changed = false;
  auto resumed = resume_in(with, record, {}, &has_changed);
  if (resumed || !has_changed || how_.on_restart != restart_rule::resume_or_rerun)
    return resumed;
  return rerun(with, record);
}

result<void> serving_engine::give_up(engine& with, const run_record& record, std::uint32_t times) {
  const auto why = called(record.run) + " was resumed " + std::to_string(times) +
                   " times after crashes, and none of its commands came to an end in them";
  std::vector<event> more;
  if (record.cause.kind == cause_kind::trigger)
    more.emplace_back(trigger_paused{record.pipeline + "/" + record.cause.trigger, time_.now(), why, {}});
  const bool pauses = !more.empty();
  auto done = with.end_left_open(record.run, std::move(more));
  if (done)
    note(why + ": it ends as cancelled" + (pauses ? ", and its trigger " + record.cause.trigger + " is paused" : ""));
  return done;
}

result<void> serving_engine::rerun(engine& with, const run_record& record) {
  run_queued what;
  what.at = time_.now();
  what.pipeline = record.pipeline;
  what.request = record.request;
  what.cause = record.cause;
  const auto queued = with.replace_left_open(record.run, std::move(what));
  if (!queued)
    return queued.error();
  note("the pipeline " + record.pipeline + " has changed since " + called(record.run) +
       " started: " + called(queued->run) + " takes its place");
  const std::lock_guard lock(mutex_);
  waiting_run waiting;
  waiting.what = *queued;
  queue_.push_back(std::move(waiting));
  wake_keeper();
  return {};
}

/// live_ has it already.
result<void> serving_engine::resume_in(engine& with, const run_record& record, const param_list& secrets,
                                       bool* has_changed) {
  if (record.request.pipeline_file == "-" || record.request.pipeline_file.empty())
    return fail(error_code::invalid_input, "its pipeline came from standard input: start a new run");
  auto where = where_to_load(record.request);
  for (const auto& [name, value] : secrets) {
    std::erase_if(where.params, [&, named = &name](const auto& one) { return one.first == *named; });
    where.params.emplace_back(name, value);
  }
  const auto on = versions_.open(where);
  if (!on)
    return on.error();
  const auto began = with.resume(*on, record.run, silent_observer::the_one(), has_changed);
  if (!began) {
    if (began.error().code == error_code::state_unusable)
      static_cast<void>(takes_events(with)); // else the keeper opens the state again
    return began.error();
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(left_open_, [&](const left_open_run& one) { return one.record.run == record.run; });
  }
  note(called(record.run) + " is resumed");
  cancel_if_asked(with, record.run);
  return {};
}

result<submitted_run> serving_engine::resume(run_number run, const param_list& secrets) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  auto record = [&]() -> result<run_record> {
    const auto snapshot = with->snapshot();
    return snapshot ? record_in(**snapshot, run) : snapshot.error();
  }();
  if (!record)
    return record.error();
  if (never_started(*record) || record->status == run_status::succeeded)
    return fail(error_code::invalid_input, called(run) +
                                               (never_started(*record) ? " has not started" : " has succeeded") +
                                               ": there is nothing to resume");
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || ending_)
      return fail(error_code::stopped, "no run is resumed any more: the engine is stopping");
    if (live_.contains(run) || leaving_.contains(run))
      return fail(error_code::invalid_input, called(run) + " is live: there is nothing to resume");
    note_live(run, kind_of(*record), record->request.timeout, record->started_at);
    if (auto* const left = find_left_open(run))
      left->resuming = true;
  }
  const auto resumed = resume_in(*with, *record, secrets, nullptr);
  const auto durable = resumed ? with->flush() : result<void>();
  const std::lock_guard lock(mutex_);
  wake_keeper();
  if (!resumed) {
    forget_live(run);
    to_cancel_.erase(run);
    if (auto* const left = find_left_open(run))
      left->resuming = false;
    return resumed.error();
  }
  if (!durable) {
    fail_with(durable.error().message);
    return unusable();
  }
  return submitted_run{run, false};
}

void serving_engine::end_left_open(run_number run) {
  const in_use with(*this);
  const auto ended = with ? with->end_left_open(run) : result<void>();
  if (with && !ended)
    static_cast<void>(takes_events(*with)); // where it does, the run is left as it is, and somebody may ask again
  tell(run, with && ended ? run_status::cancelled : run_status::interrupted);
}

void serving_engine::resume_later(run_number run, param_list secrets, std::function<void(result<submitted_run>)> then) {
  planners_->submit([this, run, secrets = std::move(secrets), then = std::move(then)] { then(resume(run, secrets)); });
}

void serving_engine::set_supervisor(supervisor_port* supervisor) {
  const std::lock_guard lock(supervisor_mutex_);
  supervisor_ = supervisor;
}

void serving_engine::ask_supervisor(supervisor_ask asked, std::function<void(result<supervisor_answer>)> then) {
  planners_->submit([this, asked = std::move(asked), then = std::move(then)] {
    const std::lock_guard lock(supervisor_mutex_);
    then(supervisor_ == nullptr ? control_port::no_supervisor() : supervisor_->ask(asked));
  });
}

void serving_engine::set_drain(duration longest) {
  const std::lock_guard lock(mutex_);
  drain_ = longest;
}

bool serving_engine::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void serving_engine::shut_down() {
  stop_runs(false);
  std::unique_lock lock(mutex_);
  const auto nobody_lives = [this] { return live_.empty() && starting_.empty(); };
  const auto wait_for = [&](duration longest) {
    constexpr duration for_ever = std::chrono::hours(24 * 365 * 100);
    return changed_.wait_for(lock, std::min(longest, for_ever), nobody_lives);
  };
  if (drain_ && !wait_for(*drain_))
    drain_.reset();
  lock.unlock();
  stop_runs(false); // a drain is over: what still lives is interrupted
  lock.lock();
  if (!how_.grace_at_stop) {
    changed_.wait(lock, nobody_lives);
    return;
  }
  if (wait_for(*how_.grace_at_stop))
    return;
  lock.unlock();
  stop_runs(true);
  lock.lock();
  changed_.wait(lock, nobody_lives);
}

} // namespace troupe_internal
