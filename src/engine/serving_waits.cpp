// What queued and live runs wait for, and what is due although nothing happens: runs expire, take too long, or may
// start.
#include "engine/serving_engine.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal {

namespace {

/// A run that was about to begin when its time was over is asked again to stop.
constexpr duration stop_again_after = std::chrono::milliseconds(100);
/// However long nothing is due: a machine that slept is noticed.
constexpr duration look_after = std::chrono::hours(1);
constexpr duration longest_wait = std::chrono::hours(24 * 36'500);

} // namespace

void serving_engine::do_what_is_due(std::unique_lock<std::mutex>& lock) {
  const auto now = time_.monotonic();
  std::vector<run_number> expired;
  for (const auto& run : queue_)
    if (run.recorded && !run.starting && run.moments.expires <= now)
      expired.push_back(run.what.run);
  std::erase_if(queue_, [&](const waiting_run& run) {
    return std::find(expired.begin(), expired.end(), run.what.run) != expired.end();
  });
  leaving_.insert(expired.begin(), expired.end());
  std::vector<run_number> too_long;
  for (auto& [run, deadline] : deadlines_)
    if (deadline <= now)
      too_long.push_back(run);
  if (expired.empty() && too_long.empty())
    return;
  auto& with = *engine_; // only this thread takes it away
  lock.unlock();
  for (const auto run : expired)
    dequeue(with, run, dequeue_reason::expired);
  std::vector<run_number> stopped;
  for (const auto run : too_long)
    if (with.stop(run, stop_cause::timed_out, false))
      stopped.push_back(run);
  lock.lock();
  for (const auto run : too_long) // one that has not begun yet is asked again
    if (const auto at = deadlines_.find(run); at != deadlines_.end())
      at->second = now + stop_again_after;
  for (const auto run : stopped)
    deadlines_.erase(run);
}

std::optional<duration> serving_engine::next_due() const {
  constexpr auto never = duration::max();
  const auto now = time_.monotonic();
  const auto steady_now = steady::now();
  auto due = never;
  const auto live = live_or_starting();
  for (const auto& run : queue_) {
    if (run.starting || !run.recorded) // what happens next wakes the keeper
      continue;
    if (run.moments.expires != never)
      due = std::min(due, run.moments.expires - now);
    if (!run.problem.empty())
      due = std::min<duration>(due, run.due - steady_now);
    else if (const auto holds = held(run, live); holds && holds->until != never)
      due = std::min(due, holds->until - now);
  }
  for (const auto& run : left_open_)
    if (!run.resuming && !run.problem.empty())
      due = std::min<duration>(due, run.due - steady_now);
  for (const auto& [run, deadline] : deadlines_)
    due = std::min(due, deadline - now);
  if (due == never)
    return std::nullopt;
  return std::clamp(due, duration::zero(), look_after);
}

void serving_engine::note_live(run_number run, const started_run& what, duration timeout, timestamp started_at) {
  live_.emplace(run, what);
  if (timeout <= duration::zero())
    return;
  const auto most = std::min(timeout, longest_wait);
  const auto lived = std::clamp(time_.now() - started_at, duration::zero(), most);
  deadlines_[run] = time_.monotonic() + (most - lived);
  wake_keeper();
}

void serving_engine::forget_live(run_number run) {
  live_.erase(run);
  deadlines_.erase(run);
}

void serving_engine::look_again() {
  const std::lock_guard lock(mutex_);
  wake_keeper();
}

std::pair<start_hold, std::string> serving_engine::why_it_waits(const waiting_run& run,
                                                                const std::vector<started_run>& live) const {
  const auto count = [&](auto which) {
    return static_cast<std::size_t>(std::count_if(live.begin(), live.end(), which));
  };
  if (!failed_.empty())
    return {start_hold::journal, "the state's journal cannot be written: " + failed_};
  if (stopping_)
    return {start_hold::stopping, "the engine is stopping: it starts when the state is opened again"};
  if (!run.recorded)
    return {start_hold::turn, "it is being recorded"};
  if (run.starting)
    return {start_hold::turn, "it is starting"};
  if (!run.problem.empty())
    return {start_hold::load, "it could not start, and is tried again: " + run.problem};
  const auto holds = held(run, live);
  if (holds && holds->what != start_hold::overlap)
    return {holds->what, words_of(*holds, run.what, time_.monotonic())};
  if (live.size() >= how_.limits.live_runs)
    return {start_hold::max_runs, std::to_string(live.size()) + " runs are live, and no more may be"};
  const auto counted = count([](const started_run& one) { return one.cause != cause_kind::user; });
  if (run.what.cause.kind != cause_kind::user && counted >= how_.limits.max_runs)
    return {start_hold::max_runs,
            "max_runs: " + std::to_string(counted) + (counted == 1 ? " run is live" : " runs are live")};
  if (holds)
    return {holds->what, words_of(*holds, run.what, time_.monotonic())};
  if (run.what.cause.kind == cause_kind::backfill && count([&](const started_run& one) {
                                                       return one.cause == cause_kind::backfill &&
                                                              one.trigger == run.what.cause.trigger;
                                                     }) > 0)
    return {start_hold::overlap, "another run of its backfill is live"};
  return {start_hold::turn, "other runs are being planned"};
}

std::vector<queued_run_info> serving_engine::queue() {
  const std::lock_guard lock(mutex_);
  std::vector<queued_run> places;
  for (const auto& run : queue_)
    places.push_back(place_of(run.what));
  const auto live = live_or_starting();
  std::vector<queued_run_info> found;
  for (const auto i : order_of_queue(places, time_.now())) {
    const auto& what = queue_[i].what;
    auto [hold, reason] = why_it_waits(queue_[i], live);
    found.push_back({what.run, what.pipeline, what.cause.kind, what.priority, what.at, std::string(to_string(hold)),
                     std::move(reason), what.id, what.cause.trigger});
  }
  return found;
}

} // namespace troupe_internal
