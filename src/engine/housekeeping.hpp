// Keeps a state small: drops old runs and logs in the background of a run. Knows which, not why they were made.
#pragma once

#include "adapters/journal/group_commit.hpp"
#include "adapters/process/state_logs.hpp"
#include "adapters/state/state_dir.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"
#include "ports/clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

namespace troupe_internal {

/// How much history an engine that stays up keeps, beside what pipelines ask for: see history_limits.
struct history_bounds {
  duration max_age = std::chrono::hours(24 * 30);
  std::uint64_t max_bytes = std::uint64_t{2} << 30U;
  bool limited = true;                                               ///< else the two above do not count
  std::function<std::uint64_t(std::uint64_t newest)> first_wanted{}; ///< see retention_rule
};
/// What a pipeline's settings and these bounds let go of now.
[[nodiscard]] retention_rule rule_of(const pipeline& p, const clock& time, const std::optional<history_bounds>& bounds);

/// Retention while a run goes on: bounded steps on the log's thread, deletion of log folders on a thread of its own.
/// `folders` are the contents that folders have: old listings of others are deleted too. The run in progress is never
/// touched. What does not get done before the run ends is done by later ones.
class housekeeping {
public:
  housekeeping(group_commit& log, std::shared_ptr<state_logs> logs, state_dir::handle dir, const pipeline& p,
               run_number current, const clock& time, const std::set<digest>& folders,
               const std::optional<history_bounds>& history);
  ~housekeeping(); ///< stops after the step in progress
  housekeeping(const housekeeping&) = delete;
  housekeeping& operator=(const housekeeping&) = delete;

private:
  struct shared;
  std::shared_ptr<shared> shared_;
  std::thread cleaner_;
};

/// After a run that executed nothing: now and then a single step, so that a state of such runs alone stays small too.
void tidy_after_fresh_run(journal_store& store, const state_dir::handle& dir, const pipeline& p, run_number current);
/// The same where a thread commits: on that thread.
void tidy_after_fresh_run(group_commit& log, std::shared_ptr<state_logs> logs, retention_rule rule, run_number current);

/// Has the state's logs ready to be written and deleted in: see state_logs::claim. Before anything is dropped from the
/// journal.
[[nodiscard]] result<void> claim_logs(state_logs& logs, const journal_store& store);

} // namespace troupe_internal
