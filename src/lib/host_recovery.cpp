// What becomes of the runs that the last engine of a state left open.
#include "engine/run_history.hpp"
#include "lib/host_engine.hpp"

#include <algorithm>

namespace troupe_internal::lib {

result<std::vector<run_record>> host_engine::open_runs() {
  const auto snapshot = engine_->snapshot();
  if (!snapshot)
    return snapshot.error();
  std::vector<run_record> open;
  const auto visited = (*snapshot)->visit_runs_newest_first([&](const run_record& record) {
    if (!record.finished_at)
      open.push_back(record);
    return true;
  });
  if (!visited)
    return visited.error();
  std::reverse(open.begin(), open.end()); // in the order in which they started
  return open;
}

result<std::uint32_t> host_engine::resumed_in_vain(const run_record& record) {
  const auto snapshot = engine_->snapshot_of_now();
  return snapshot ? vain_resumptions_of(**snapshot, record) : result<std::uint32_t>(snapshot.error());
}

troupe_error* host_engine::recover(std::uint32_t policy, const each_recovered& each) {
  {
    const std::lock_guard lock(mutex_);
    if (recovered_)
      return make_error(TROUPE_ERROR_INVALID_ARGUMENT, "recover() comes once, after all add() and before any start()");
  }
  const auto open = open_runs();
  if (!open)
    return make_error(open.error());
  {
    const std::lock_guard lock(mutex_);
    recovered_ = true;
  }
  for (const auto& record : *open) {
    std::shared_ptr<host_run> run;
    std::uint32_t what = TROUPE_LEFT;
    std::string reason;
    const auto abandon = [&](std::uint32_t as) {
      const auto ended = engine_->end_left_open(record.run);
      what = ended ? as : static_cast<std::uint32_t>(TROUPE_LEFT);
      if (!ended)
        reason = ended.error().message;
    };
    auto built = project_of(record.pipeline, record.request.params);
    const auto in_vain = resumed_in_vain(record);
    if (!in_vain)
      return make_error(in_vain.error());
    if (policy == TROUPE_ABANDON) {
      abandon(TROUPE_ABANDONED);
    } else if (*in_vain >= most_resumptions_) {
      reason = "it was resumed " + std::to_string(*in_vain) + " times after crashes, and nothing in it came to an end";
      abandon(TROUPE_ABANDONED);
    } else if (built.wrong) {
      reason = built.wrong->message;
    } else {
      std::unique_ptr<troupe_error> why(resume_in(built.on, record.run, run));
      if (!why) {
        what = TROUPE_RESUMED;
      } else if (policy == TROUPE_RESUME_OR_RERUN && why->code == TROUPE_ERROR_INVALID_ARGUMENT) {
        reason = why->message;
        host_request again;
        again.options.selection = record.request.selection;
        again.options.exclude = record.request.exclude;
        again.options.only = record.request.only;
        again.options.force = record.request.force;
        again.options.params = record.request.params;
        abandon(TROUPE_RERUN);
        if (what == TROUPE_RERUN)
          why.reset(start(record.pipeline, again, run));
        if (what == TROUPE_RERUN && why) {
          what = TROUPE_ABANDONED;
          reason += "; and it does not start again: " + why->message;
        }
      } else {
        reason = why->message;
      }
    }
    each(record.run, what, run, reason);
  }
  if (const auto forgotten = forget_old_keys(); !forgotten)
    return make_error(forgotten.error());
  ring_feeds();
  return recover_queue(policy, each);
}

} // namespace troupe_internal::lib
