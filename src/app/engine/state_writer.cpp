// Opening a state for writing, and recovery.
#include "app/engine/state_writer.hpp"

#include "adapters/leftovers.hpp"
#include "adapters/state_lock.hpp"

#include <unistd.h>

namespace troupe {

std::vector<event> interrupted_attempts(const std::vector<open_attempt>& open, timestamp now) {
  std::vector<event> events;
  for (const auto& attempt : open) {
    attempt_finished finished;
    finished.run = attempt.run;
    finished.asset = attempt.asset;
    finished.attempt = attempt.attempt;
    finished.at = now;
    finished.outcome = outcome_kind::interrupted;
    finished.message = "the supervisor died while this attempt ran";
    events.emplace_back(std::move(finished));
  }
  return events;
}

namespace {

/// The process that wrote last; 0 if unknown.
result<std::int32_t> last_writer(const journal_snapshot& snapshot, const std::string& lock_words) {
  std::int32_t pid = 0;
  const auto visited = snapshot.visit_events(snapshot.info().writer_seq, [&pid](std::uint64_t, const event& e) {
    if (const auto* opened = std::get_if<writer_opened>(&e))
      pid = opened->pid;
    return false;
  });
  if (!visited)
    return visited.error();
  return pid != 0 ? pid : holder_before(lock_words).pid; // where retention has dropped its coming
}

} // namespace

result<std::unique_ptr<state_writer>> state_writer::open(const std::string& folder, durability how, duration grace,
                                                         clock& time, const stop_request& stop) {
  lock_patience patience;
  patience.enough = [&stop] { return stop.count() > 0; };
  auto lock = lock_state(folder, patience);
  if (!lock)
    return lock.error();
  const auto words = lock->words_before();
  auto store = open_journal(std::move(*lock), {how, 0}, time);
  if (!store)
    return store.error();
  std::unique_ptr<state_writer> writer(new state_writer(std::move(*store), time));
  if (const auto recovered = writer->recover(words, grace, stop); !recovered)
    return recovered.error();
  return writer;
}

result<void> state_writer::recover(const std::string& lock_words, duration grace, const stop_request& stop) {
  const auto snapshot = store_->snapshot();
  if (!snapshot)
    return snapshot.error();
  if ((*snapshot)->info().closed_cleanly)
    return {};
  recovered_ = true;
  const auto open = (*snapshot)->open_attempts();
  if (!open)
    return open.error();
  const auto supervisor = last_writer(**snapshot, lock_words);
  if (!supervisor)
    return supervisor.error();
  std::vector<recorded_process> recorded;
  for (const auto& attempt : *open)
    if (attempt.process_group != 0)
      recorded.push_back({attempt.process_group, attempt.start_ticks, attempt.boot_id, 0, *supervisor});
  const auto hurried = [&stop] { return stop.count() > 1; };
  if (const auto ended = end_leftovers(to_string((*snapshot)->info().id), recorded, grace, hurried); !ended)
    return fail(error_code::state_unusable, ended.error().message);
  auto events = take_opening();
  for (auto& e : interrupted_attempts(*open, time_.now()))
    events.push_back(std::move(e));
  if (const auto appended = store_->append(events); !appended)
    return appended.error();
  return {};
}

std::vector<event> state_writer::take_opening() {
  if (!std::exchange(opening_due_, false))
    return {};
  return {writer_opened{time_.now(), boot_id(), static_cast<std::int32_t>(getpid())}};
}

std::vector<event> state_writer::closing() const {
  return {writer_closed{time_.now()}};
}

} // namespace troupe
