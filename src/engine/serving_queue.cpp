// The keeper: takes what has ended, starts what may, opens the state again.
#include "engine/serving_engine.hpp"

#include "base/shown_text.hpp"
#include "engine/event_file.hpp"
#include "engine/planning.hpp"
#include "engine/silent_observer.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace troupe_internal {

result<void> serving_engine::open_state(std::shared_ptr<const state_lock> lock) {
  engine_options with;
  with.folder = how_.folder;
  with.opening = how_.opening;
  with.opening.lock = std::move(lock);
  with.serves = true;
  with.room = how_.room;
  with.history = how_.history;
  with.ended = [this](run_number run) {
    const std::lock_guard guard(mutex_);
    ended_.push_back(run);
    wake_keeper();
  };
  with.committed = [this] {
    bell_.ring();
    other_bell_.ring();
    third_bell_.ring();
    asset_bell_.ring();
  };
  auto opened = engine::open(with, time_, stop_);
  if (!opened)
    return opened.error();
  auto& made = **opened;
  if (const auto ready = made.get_ready(usable_cpus()); !ready)
    return ready;
  if (const auto written = made.announce(); !written) // also: the disk takes something
    return written;
  auto queued = read_queue(made);
  if (!queued)
    return queued.error();
  auto left_open = read_left_open(made);
  if (!left_open)
    return left_open.error();
  const auto snapshot = made.snapshot();
  if (!snapshot)
    return snapshot.error();
  last_event_ = (*snapshot)->info().last_event; // nobody takes one in while there is no engine
  const std::lock_guard guard(mutex_);
  const auto visited = (*snapshot)->visit_triggers([this](const trigger_record& one) {
    starts_.recall(one.trigger, one.starts, time_.now(), time_.monotonic());
    return true;
  });
  if (!visited)
    return visited.error();
  for (auto& run : *queued)
    run.moments = moments_of(run.what.conditions, run.what.at, time_.now(), time_.monotonic());
  for (auto& run : *queued) // those who watch are still there
    if (const auto* const known = find_queued(run.what.run))
      run.observer = known->observer;
  queue_ = std::move(*queued);
  left_open_ = std::move(*left_open);
  lock_ = made.lock();
  dir_ = made.dir();
  engine_ = std::move(*opened);
  failed_.clear();
  wake_keeper();
  return {};
}

result<std::vector<serving_engine::waiting_run>> serving_engine::read_queue(engine& with) {
  const auto snapshot = with.snapshot();
  if (!snapshot)
    return snapshot.error();
  std::vector<waiting_run> queued;
  const auto visited = (*snapshot)->visit_queue([&](const run_queued& one) {
    waiting_run waiting;
    waiting.what = one;
    queued.push_back(std::move(waiting));
    return true;
  });
  if (!visited)
    return visited.error();
  return queued;
}

void serving_engine::keep() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    something_happened_ = false;
    if (!failed_.empty()) {
      reopen(lock);
      continue;
    }
    take_ended(lock);
    changed_.notify_all(); // shut_down() waits for the last one
    if (!failed_.empty() || ending_)
      continue;
    end_what_gives_way(lock);
    if (!failed_.empty() || ending_)
      continue;
    do_what_is_due(lock);
    if (!failed_.empty() || ending_)
      continue;
    start_what_may();
    const auto ready = [this] { return something_happened_ || ending_; };
    if (const auto due = next_due())
      changed_.wait_for(lock, *due, ready);
    else
      changed_.wait(lock, ready);
  }
}

void serving_engine::take_ended(std::unique_lock<std::mutex>& lock) {
  while (!ended_.empty() && failed_.empty()) {
    const auto number = ended_.front();
    ended_.pop_front();
    auto& with = *engine_; // only this thread takes it away
    lock.unlock();
    const auto outcome = with.wait(number);
    lock.lock();
    const auto known = live_.find(number);
    const auto what = known == live_.end() ? started_run() : known->second;
    forget_live(number);
    to_cancel_.erase(number);
    if (!outcome && outcome.error().code == error_code::state_unusable)
      fail_with(outcome.error().message);
    lock.unlock();
    tell(number, outcome ? outcome->status : run_status::interrupted);
    tell_run(number, what, outcome ? outcome->status : run_status::interrupted);
    run_bell_.ring();
    lock.lock();
  }
}

queued_run serving_engine::place_of(const run_queued& what) {
  // Numbers are given out in the order of queueing.
  return {what.run, what.cause.kind, what.priority,
          what.at,  what.run.value,  what.cause.kind == cause_kind::backfill ? what.cause.trigger : std::string()};
}

std::vector<started_run> serving_engine::live_or_starting() const {
  auto live = starting_;
  for (const auto& [number, run] : live_)
    live.push_back(run);
  for (const auto& run : queue_)
    if (run.starting)
      live.push_back(kind_of(run.what));
  return live;
}

bool serving_engine::may_start_now(const run_ask& ask) const {
  if (ask.continues.value != 0) // only a queued run can say so
    return false;
  std::vector<queued_run> places;
  const auto living = live_or_starting();
  for (const auto& run : queue_)
    if (!run.starting && run.problem.empty() && !held(run, living))
      places.push_back(place_of(run.what));
  queued_run own;
  own.run = run_number(std::numeric_limits<std::uint32_t>::max());
  own.cause = ask.cause.kind;
  own.priority = ask.priority;
  own.queued_at = time_.now();
  own.sequence = std::numeric_limits<std::uint64_t>::max();
  own.trigger = ask.cause.trigger;
  places.push_back(own);
  return next_to_start(places, living, how_.limits, own.queued_at) == places.size() - 1;
}

void serving_engine::start_what_may() {
  if (stopping_ || resume_what_may())
    return;
  const auto now = steady::now();
  auto busy = std::count_if(queue_.begin(), queue_.end(), [](const waiting_run& run) { return run.starting; });
  while (busy < static_cast<std::ptrdiff_t>(std::max(how_.planners, 1U))) {
    std::vector<queued_run> places;
    std::vector<waiting_run*> runs;
    const auto live = live_or_starting();
    for (auto& run : queue_)
      if (run.recorded && !run.starting && (run.problem.empty() || run.due <= now) && !held(run, live)) {
        places.push_back(place_of(run.what));
        runs.push_back(&run);
      }
    const auto next = next_to_start(places, live, how_.limits, time_.now());
    if (!next)
      return;
    runs[*next]->starting = true;
    runs[*next]->turn = time_.monotonic();
    if (runs[*next]->what.cause.kind == cause_kind::trigger) {
      runs[*next]->noted = time_.monotonic();
      starts_.note(trigger_of(runs[*next]->what.pipeline, runs[*next]->what.cause), *runs[*next]->noted);
    }
    ++busy;
    planners_->submit([this, what = runs[*next]->what, observer = runs[*next]->observer] { start(what, observer); });
  }
}

void serving_engine::start(const run_queued& what, run_observer* observer) {
  const in_use with(*this);
  bool ends = false;
  {
    const std::lock_guard lock(mutex_);
    ends = ending_ || stopping_;
  }
  result<void> began;
  if (with && !ends)
    began = try_to_start(*with, what, observer);
  bool leaves = false;
  {
    const std::lock_guard lock(mutex_);
    wake_keeper();
    auto* const waiting = find_queued(what.run);
    if (waiting == nullptr) // it lives, or has ended
      return;
    waiting->starting = false;
    if (const auto noted = std::exchange(waiting->noted, std::nullopt))
      starts_.forget(trigger_of(what.pipeline, what.cause), *noted);
    if (!with || ends)
      return;
    leaves = waiting->cancelled;
    if (leaves) {
      leaving_.insert(what.run);
      std::erase_if(queue_, [&](const waiting_run& one) { return one.what.run == what.run; });
    } else {
      try_again_later(*waiting, began ? std::string() : began.error().message);
    }
  }
  if (leaves)
    dequeue(*with, what.run);
}

project_options serving_engine::where_to_load(const run_request& request) const {
  project_options where;
  where.file = request.pipeline_file;
  if (!where.file.starts_with('/'))
    where.file = std::filesystem::path(how_.folder).parent_path() / where.file;
  where.state = how_.folder;
  where.params = request.params;
  where.only_regular = true;
  return where;
}

result<void> serving_engine::try_to_start(engine& with, const run_queued& what, run_observer* observer) {
  const auto where = where_to_load(what.request);
  const auto on = load(where);
  if (!on)
    return on.error();
  if (on->p->name != what.pipeline)
    return fail(error_code::invalid_input, visible(where.file) + " is the pipeline \"" + on->p->name +
                                               "\" now; the run was queued for \"" + what.pipeline + "\"");
  std::optional<waiting_run> taken; // off the queue, since it has begun as far as the engine can tell
  run_admission how;
  how.queued = &what;
  {
    const std::lock_guard lock(mutex_);
    if (const auto* const waiting = find_queued(what.run))
      how.events = waiting->events;
  }
  if (how.events.size() < what.cause.events.size()) { // some came before this process did
    const auto snapshot = with.snapshot();
    if (!snapshot)
      return snapshot.error();
    if (const auto found = complete_events(**snapshot, what.cause, how.events); !found)
      return found;
  }
  how.numbered = [&](run_number) {
    const std::lock_guard lock(mutex_);
    if (auto* const waiting = find_queued(what.run)) {
      taken = std::move(*waiting);
      std::erase_if(queue_, [&](const waiting_run& one) { return one.what.run == what.run; });
    }
    note_live(what.run, kind_of(what), what.request.timeout, time_.now());
    if (taken && taken->cancelled)
      to_cancel_.insert(what.run);
  };
  const auto began =
      with.submit(*on, options_of(what), observer != nullptr ? *observer : silent_observer::the_one(), how);
  if (began) {
    if (taken) {
      const auto turn = time_.monotonic() - taken->turn;
      const std::lock_guard lock(mutex_);
      auto& times = start_times_[what.pipeline];
      ++times.runs;
      times.started += turn;
      times.waited += std::max(time_.now() - what.at - turn, duration::zero()); // the clock may have been set
    }
    tell_run(what.run, kind_of(what), std::nullopt);
    cancel_if_asked(with, what.run);
    return {};
  }
  if (began.error().code == error_code::state_unusable)
    static_cast<void>(takes_events(with)); // else the keeper opens the state again
  if (taken) {
    const std::lock_guard lock(mutex_);
    forget_live(what.run);
    to_cancel_.erase(what.run);
    queue_.push_back(std::move(*taken));
  }
  return began.error();
}

std::map<std::string, start_figures> serving_engine::start_times() {
  const std::lock_guard lock(mutex_);
  return start_times_;
}

void serving_engine::cancel_if_asked(engine& with, run_number run) {
  {
    const std::lock_guard lock(mutex_);
    if (to_cancel_.erase(run) == 0)
      return;
  }
  static_cast<void>(with.stop(run, stop_cause::user, false)); // false: it has ended
}

void serving_engine::try_again_later(waiting_run& run, std::string why) {
  run.problem = std::move(why);
  run.pause = std::min(std::max(2 * run.pause, how_.look_again), how_.look_again_most);
  run.due = steady::now() + run.pause;
}

void serving_engine::dequeue(engine& with, run_number run, dequeue_reason why) {
  with.append({run_dequeued{run, time_.now(), why, {}}}, [this, run](const result<std::uint64_t>& outcome) {
    if (outcome)
      return tell(run, run_status::cancelled);
    const std::lock_guard lock(mutex_); // it is in the queue still, as who opens the state next finds
    leaving_.erase(run);
    fail_with(outcome.error().message);
  });
}

result<std::size_t> serving_engine::drop_queued(const std::function<bool(const run_queued&)>& which) {
  const in_use with(*this);
  std::vector<run_number> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!with)
      return unusable();
    for (auto& run : queue_)
      if (which(run.what)) {
        if (run.starting)
          run.cancelled = true;
        else
          gone.push_back(run.what.run);
      }
    std::erase_if(queue_, [&](const waiting_run& one) { return !one.starting && which(one.what); });
    leaving_.insert(gone.begin(), gone.end());
  }
  for (const auto run : gone)
    dequeue(*with, run, dequeue_reason::removed);
  if (const auto durable = with->flush(); !durable)
    return durable.error();
  return gone.size();
}

serving_engine::waiting_run* serving_engine::find_queued(run_number run) {
  const auto at =
      std::find_if(queue_.begin(), queue_.end(), [run](const waiting_run& one) { return one.what.run == run; });
  return at == queue_.end() ? nullptr : &*at;
}

void serving_engine::fail_with(const std::string& why) {
  if (failed_.empty())
    failed_ = why.empty() ? "unknown" : why;
  wake_keeper();
}

bool serving_engine::takes_events(engine& with) {
  const auto flushed = with.flush();
  if (flushed)
    return true;
  const std::lock_guard lock(mutex_);
  fail_with(flushed.error().message);
  return false;
}

void serving_engine::reopen(std::unique_lock<std::mutex>& lock) {
  // Runs hear of it from their own appends, and end. Who uses the engine lets go of it, and nobody else gets it.
  changed_.wait(lock, [this] { return users_ == 0; });
  auto old = std::move(engine_);
  lock.unlock();
  old.reset(); // ends what still runs; the lock stays ours
  lock.lock();
  ended_.clear();
  starting_.clear();
  to_cancel_.clear();
  replacing_.clear();
  for (auto& run : queue_)
    run.starting = false;
  const auto gone = std::exchange(live_, {});
  changed_.notify_all(); // shut_down() waits for the last one
  deadlines_.clear();
  lock.unlock();
  for (const auto& [run, what] : gone)
    tell(run, run_status::interrupted);
  lock.lock();
  for (auto pause = how_.reopen_after; !ending_; pause = std::min(2 * pause, how_.reopen_most)) {
    changed_.wait_for(lock, pause, [this] { return ending_; });
    if (ending_)
      return;
    lock.unlock();
    const auto opened = open_state(lock_);
    lock.lock();
    if (opened)
      return;
    failed_ = opened.error().message;
  }
}

} // namespace troupe_internal
