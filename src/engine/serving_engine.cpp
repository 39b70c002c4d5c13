// Taking runs on, and what is asked of those that are there.
#include "engine/serving_engine.hpp"

#include "adapters/system/start_thread.hpp"
#include "config/load_pipeline.hpp"
#include "engine/planning.hpp"
#include "engine/run_history.hpp"
#include "engine/silent_observer.hpp"

#include <algorithm>
#include <filesystem>
#include <future>
#include <system_error>
#include <utility>

namespace troupe_internal {

serving_engine::in_use::in_use(serving_engine& all) : all_(all) {
  const std::lock_guard lock(all_.mutex_);
  if (!all_.failed_.empty() || !all_.engine_)
    return;
  engine_ = all_.engine_.get();
  ++all_.users_;
}

serving_engine::in_use::~in_use() {
  if (engine_ == nullptr)
    return;
  const std::lock_guard lock(all_.mutex_);
  if (--all_.users_ == 0)
    all_.changed_.notify_all();
}

serving_engine::serving_engine(const serving_options& how, system_clock& time, stop_request& stop)
    : how_(how), time_(time), stop_(stop), drain_(how.drain) {}

result<std::unique_ptr<serving_engine>> serving_engine::open(const serving_options& how, system_clock& time,
                                                             stop_request& stop) {
  auto named = how;
  std::error_code unknown;
  named.folder = std::filesystem::absolute(how.folder, unknown).lexically_normal().string();
  if (unknown)
    return fail(error_code::io, "the working folder cannot be told: it may have been deleted");
  std::unique_ptr<serving_engine> made(new serving_engine(named, time, stop));
  if (const auto opened = made->open_state(nullptr); !opened)
    return opened.error();
  try {
    made->planners_ = std::make_unique<thread_pool>(std::max(how.planners, 1U));
    made->control_ =
        std::make_unique<control_server>(made->dir_, stop, static_cast<control_port&>(*made),
                                         [self = made.get()](stop_cause, bool at_once) { self->stop_runs(at_once); });
    made->keeper_ = start_thread([self = made.get()] { self->keep(); });
  } catch (const std::system_error& refused) {
    return fail(error_code::state_unusable, std::string("the system refuses what an engine needs: ") + refused.what());
  }
  return made;
}

serving_engine::~serving_engine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    wake_keeper();
  }
  if (keeper_.joinable())
    keeper_.join();
  control_.reset();
  stop_runs(true);
  planners_.reset();
  engine_.reset();
  const auto left = std::exchange(hearers_, {});
  for (const auto& [run, then] : left)
    then(find_queued(run) != nullptr ? run_status::queued : run_status::interrupted);
}

void serving_engine::wake_keeper() {
  something_happened_ = true;
  changed_.notify_all();
}

error serving_engine::unusable() const {
  return fail(error_code::state_unusable,
              "no run is taken on while the state's journal cannot be written; it is tried again: " + failed_);
}

std::string serving_engine::trouble() {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void serving_engine::retry_loads() {
  const std::lock_guard lock(mutex_);
  for (auto& run : queue_)
    run.due = steady::now();
  wake_keeper();
}

void serving_engine::stop_runs(bool at_once) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_keeper(); // and whoever waits in shut_down()
    if (drain_ && !at_once)
      return;
  }
  const in_use with(*this);
  if (with)
    with->stop_all(stop_cause::shutdown, at_once);
}

result<submitted_run> serving_engine::submit(const run_ask& ask, run_observer* observer) {
  if (ask.key.empty())
    return submit_anew(ask, observer);
  constexpr auto kept = std::chrono::hours(24 * 90);
  // One at a time: who asks under a key that another asks under just now hears of that one's run.
  const std::lock_guard one_at_a_time(keyed_);
  const auto snapshot = history();
  if (!snapshot)
    return snapshot.error();
  seen_key seen;
  const auto found = (*snapshot)->read_seen_key(ask.pipeline + "/", ask.key, seen);
  if (!found)
    return found.error();
  if (!*found || seen.at + kept <= time_.now())
    return submit_anew(ask, observer);
  if (seen.request != ask.request)
    return fail(error_code::key_conflict, "the key \"" + ask.key + "\" was used for another request (run #" +
                                              std::to_string(seen.run.value) + ")");
  return submitted_run{seen.run, false, true};
}

result<submitted_run> serving_engine::submit_anew(const run_ask& ask, run_observer* observer) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_.empty())
      return unusable();
    if (stopping_ || ending_)
      return fail(error_code::stopped, "no run is taken on any more: the engine is stopping");
  }
  if (ask.file.empty() || config::names_descriptor(ask.file))
    return fail(error_code::invalid_input,
                "a run that may have to wait needs a pipeline in a file: name one that is still there when it starts");
  project_options where;
  where.file = ask.file;
  where.state = how_.folder;
  where.params = ask.params;
  where.only_regular = true;
  const auto on = load(where);
  if (!on)
    return on.error();
  run_options options;
  options.selection = ask.selection;
  options.exclude = ask.exclude;
  options.only = ask.only;
  options.force = ask.force;
  options.params = ask.params;
  options.workers = ask.workers;
  if (ask.error_strategy)
    options.error_strategy = static_cast<troupe_internal::error_strategy>(*ask.error_strategy);
  options.cause = ask.cause;
  options.key = ask.key;
  options.key_request = ask.request;
  options.timeout = ask.timeout;
  if (const auto scope = scope_of(*on, options); !scope)
    return scope.error();
  bool now = false;
  {
    const std::lock_guard lock(mutex_);
    now = may_start_now(ask);
    if (now)
      starting_.push_back({ask.cause.kind, ask.cause.trigger, on->p->name});
    else if (queue_.size() >= how_.most_queued)
      return fail(error_code::busy, "the queue is full: " + std::to_string(queue_.size()) +
                                        " runs wait. Try again when some of them have started");
  }
  return now ? start_now(*on, options, observer) : put_in_queue(*on, options, ask, observer);
}

void serving_engine::leave_starting(const started_run& what) {
  const auto at = std::find_if(starting_.begin(), starting_.end(), [&](const started_run& one) {
    return one.cause == what.cause && one.trigger == what.trigger && one.pipeline == what.pipeline;
  });
  if (at != starting_.end())
    starting_.erase(at);
}

result<submitted_run> serving_engine::start_now(const project& on, const run_options& options, run_observer* observer) {
  const started_run what{options.cause.kind, options.cause.trigger, on.p->name};
  run_number number(0U);
  const auto give_up = [&](error why) {
    const std::lock_guard lock(mutex_);
    if (number.value == 0)
      leave_starting(what);
    else
      forget_live(number);
    wake_keeper();
    return why;
  };
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    leave_starting(what);
    return unusable();
  }
  run_admission how;
  how.numbered = [&](run_number given) {
    const std::lock_guard lock(mutex_);
    leave_starting(what);
    note_live(given, what, options.timeout, time_.now());
    number = given;
  };
  const auto began = with->submit(on, options, observer != nullptr ? *observer : silent_observer::the_one(), how);
  if (!began) {
    auto why = began.error();
    if (why.code == error_code::state_unusable && !takes_events(*with)) {
      const std::lock_guard lock(mutex_);
      why = unusable();
    }
    return give_up(std::move(why));
  }
  if (const auto durable = with->flush(); !durable) {
    const std::lock_guard lock(mutex_);
    fail_with(durable.error().message);
    return unusable();
  }
  tell_run(*began, what, std::nullopt);
  cancel_if_asked(*with, *began);
  return submitted_run{*began, false};
}

result<submitted_run> serving_engine::put_in_queue(const project& on, const run_options& options, const run_ask& ask,
                                                   run_observer* observer) {
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  run_queued what;
  what.at = time_.now();
  what.pipeline = on.p->name;
  what.request = request_of(on, options);
  what.cause = ask.cause;
  what.priority = ask.priority;
  what.continues = ask.continues;
  const auto queued = with->enqueue(std::move(what), [&](const run_queued& numbered) {
    return ask.key.empty()
               ? std::vector<event>()
               : std::vector<event>{key_used{numbered.pipeline + "/", ask.key, ask.request, numbered.run, numbered.at}};
  });
  const std::lock_guard lock(mutex_);
  if (!queued) {
    fail_with(queued.error().message);
    return unusable();
  }
  waiting_run waiting;
  waiting.what = *queued;
  waiting.observer = observer;
  waiting.moments = moments_of(waiting.what.conditions, waiting.what.at, time_.now(), time_.monotonic());
  queue_.push_back(std::move(waiting));
  wake_keeper();
  return submitted_run{queued->run, true};
}

void serving_engine::submit_later(run_ask ask, std::function<void(result<submitted_run>)> then) {
  planners_->submit([this, ask = std::move(ask), then = std::move(then)] { then(submit(ask)); });
}

result<std::unique_ptr<journal_snapshot>> serving_engine::history() {
  const in_use with(*this);
  if (with)
    return with->snapshot();
  const std::lock_guard lock(mutex_);
  return unusable();
}

std::vector<live_run_info> serving_engine::list() {
  const in_use with(*this);
  return with ? with->live() : std::vector<live_run_info>();
}

result<run_number> serving_engine::cancel(std::optional<run_number> run, bool at_once) {
  const in_use with(*this);
  bool queued = false;
  {
    const std::lock_guard lock(mutex_);
    if (!with)
      return unusable();
    if (run && leaving_.contains(*run))
      return *run;
    if (auto* const waiting = run ? find_queued(*run) : nullptr) {
      if (waiting->starting) {
        waiting->cancelled = true;
        return *run;
      }
      std::erase_if(queue_, [&](const waiting_run& one) { return one.what.run == *run; });
      leaving_.insert(*run);
      queued = true;
    }
  }
  if (queued) {
    dequeue(*with, *run);
    return *run;
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto* const left = run ? find_left_open(*run) : nullptr; left != nullptr && !left->resuming) {
      std::erase_if(left_open_, [&](const left_open_run& one) { return one.record.run == *run; });
      leaving_.insert(*run);
      planners_->submit([this, number = *run] { end_left_open(number); });
      return *run;
    }
  }
  auto asked = with->cancel(run, at_once);
  const std::lock_guard lock(mutex_);
  if (asked || !run || !live_.contains(*run))
    return asked;
  to_cancel_.insert(*run); // it has a number, and is about to begin; or has just ended
  return *run;
}

result<void> serving_engine::when_ended(run_number run, std::function<void(run_status)> then) {
  {
    const std::lock_guard lock(mutex_);
    if (live_.contains(run) || leaving_.contains(run) || find_queued(run) != nullptr) {
      hearers_.emplace(run, std::move(then));
      return {};
    }
  }
  const in_use with(*this);
  if (!with) {
    const std::lock_guard lock(mutex_);
    return unusable();
  }
  const auto snapshot = with->snapshot();
  if (!snapshot)
    return snapshot.error();
  const auto record = record_in(**snapshot, run);
  if (!record)
    return record.error();
  then(record->finished_at ? record->status : run_status::interrupted);
  return {};
}

result<run_status> serving_engine::wait(run_number run) {
  std::promise<run_status> ended;
  if (const auto heard = when_ended(run, [&](run_status status) { ended.set_value(status); }); !heard)
    return heard.error();
  return ended.get_future().get();
}

void serving_engine::tell(run_number run, run_status status) {
  std::vector<std::function<void(run_status)>> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = hearers_.equal_range(run);
    for (auto at = first; at != last; ++at)
      waiting.push_back(std::move(at->second));
    hearers_.erase(first, last);
    leaving_.erase(run);
  }
  for (const auto& then : waiting)
    then(status);
}

result<void> serving_engine::prioritize(run_number run, std::int32_t priority, std::function<void(result<void>)> then) {
  const in_use with(*this);
  run_queued what;
  {
    const std::lock_guard lock(mutex_);
    if (!with)
      return unusable();
    auto* const waiting = find_queued(run);
    if (waiting == nullptr || waiting->starting)
      return fail(error_code::not_found,
                  "run #" + std::to_string(run.value) + " does not wait in the queue: priority orders those that do");
    waiting->what.priority = priority;
    what = waiting->what;
    wake_keeper();
    // In the journal's order under the lock: it may not start, or leave, before this is recorded.
    with->append({std::move(what)}, [this, then = std::move(then)](const result<std::uint64_t>& outcome) {
      if (!outcome) {
        const std::lock_guard failing(mutex_);
        fail_with(outcome.error().message);
      }
      then(outcome ? result<void>() : result<void>(outcome.error()));
    });
  }
  return {};
}

} // namespace troupe_internal
