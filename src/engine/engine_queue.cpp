// What an engine does for whoever keeps a queue of runs: it records who waits, and what is left of a run that broke.
// Knows no order of the queue.
#include "engine/engine.hpp"

#include <future>
#include <system_error>
#include <utility>

namespace troupe_internal {

result<void> engine::get_ready(std::uint32_t workers) {
  const std::lock_guard admission(admission_);
  try {
    return start_up(workers);
  } catch (const std::system_error& refused) { // of making threads
    return fail(error_code::state_unusable, std::string("the system refuses what runs need: ") + refused.what());
  }
}

result<run_queued> engine::enqueue(run_queued what,
                                   const std::function<std::vector<event>(const run_queued&)>& before) {
  std::promise<result<std::uint64_t>> done;
  {
    const std::lock_guard admission(admission_); // numbers are in the journal in their order
    what.run = run_number(++last_run_);
    what.id = make_uuid_v7(what.at, time_.random(), time_.random());
    auto events = before ? before(what) : std::vector<event>();
    events.emplace_back(what);
    log_->append(std::move(events), true, [&](result<std::uint64_t> outcome) { done.set_value(std::move(outcome)); });
  }
  const auto outcome = done.get_future().get();
  if (!outcome)
    return outcome.error();
  return what;
}

void engine::number_runs(const std::function<std::uint32_t(run_number next)>& appends) {
  const std::lock_guard admission(admission_);
  last_run_ += appends(run_number(last_run_ + 1));
}

result<void> engine::announce() {
  const auto appended = log_->append_now({});
  return appended ? result<void>() : result<void>(appended.error());
}

void engine::append(std::vector<event> events, std::function<void(result<std::uint64_t>)> durable) {
  log_->append(std::move(events), true, std::move(durable));
}

result<void> engine::close_attempts_of(run_number run) {
  const auto snapshot = snapshot_of_now();
  if (!snapshot)
    return snapshot.error();
  auto open = (*snapshot)->open_attempts();
  if (!open)
    return open.error();
  std::erase_if(*open, [run](const open_attempt& one) { return one.run != run; });
  if (open->empty())
    return {};
  const auto appended = log_->append_now(interrupted_attempts(*open, time_.now()));
  return appended ? result<void>() : result<void>(appended.error());
}

run_options options_of(const run_queued& what) {
  run_options options;
  options.selection = what.request.selection;
  options.exclude = what.request.exclude;
  options.only = what.request.only;
  options.force = what.request.force;
  options.params = what.request.params;
  options.workers = what.request.workers;
  options.error_strategy = static_cast<troupe_internal::error_strategy>(what.request.error_strategy);
  options.cause = what.cause;
  options.timeout = what.request.timeout;
  return options;
}

} // namespace troupe_internal
