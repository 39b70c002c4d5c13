// What becomes of runs that an earlier engine left open and that are not resumed: they end as cancelled. Knows no rule
// by which this is decided.
#include "core/run/left_open.hpp"
#include "engine/engine.hpp"
#include "engine/only_resumption.hpp"
#include "engine/run_history.hpp"

#include <utility>

namespace troupe_internal {

result<std::vector<event>> engine::end_of(run_number run, run_number continued_by) {
  const auto snapshot = snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  auto past = replay_run(**snapshot, run);
  if (!past)
    return past.error();
  if (past->record.finished_at || past->state.open_attempts() > 0)
    return fail(error_code::invalid_input, "run #" + std::to_string(run.value) +
                                               (past->record.finished_at ? " has ended" : " has an attempt that runs"));
  return end_of_left_open(past->state, time_.now(), trigger_of(past->record.pipeline, past->record.cause),
                          continued_by);
}

result<void> engine::end_left_open(run_number run, std::vector<event> more) {
  const only_resumption alone(*this, run);
  if (!alone.may())
    return fail(error_code::invalid_input, "run #" + std::to_string(run.value) + " is live");
  auto events = end_of(run, run_number(0U));
  if (!events)
    return events.error();
  append_to(*events, std::move(more));
  const auto appended = log_->append_now(std::move(*events));
  return appended ? result<void>() : result<void>(appended.error());
}

result<run_queued> engine::replace_left_open(run_number run, run_queued by) {
  const only_resumption alone(*this, run);
  if (!alone.may())
    return fail(error_code::invalid_input, "run #" + std::to_string(run.value) + " is live");
  by.continues = run;
  const std::lock_guard admission(admission_); // numbers are in the journal in their order
  by.run = run_number(last_run_ + 1);
  by.id = make_uuid_v7(by.at, time_.random(), time_.random());
  auto events = end_of(run, by.run);
  if (!events)
    return events.error();
  ++last_run_;
  events->emplace_back(by);
  if (const auto appended = log_->append_now(std::move(*events)); !appended)
    return appended.error();
  return by;
}

} // namespace troupe_internal
