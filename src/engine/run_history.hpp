// Runs as the journal tells them, replayed. Knows nothing of running; run_reports.cpp makes reports of them.
#pragma once

#include "core/run/run_state.hpp"
#include "engine/catalog.hpp"
#include "engine/project.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <functional>
#include <unordered_map>

namespace troupe_internal {

/// A run as its events left it.
struct run_history {
  run_record record;
  run_state state;
  /// Of the assets that were to run when it started: definition_number by id.
  std::unordered_map<std::uint32_t, std::uint64_t> definitions;
};

/// The record of a run that started, is queued, or left the queue without having started. not_found if there is none.
[[nodiscard]] result<run_record> record_in(const journal_snapshot& snapshot, run_number run);

/// Folds the events of one run, from `first` on, into its state, and calls `visit` with each of them. What cannot
/// follow what was before it is damage.
[[nodiscard]] result<void> fold_run(const journal_snapshot& snapshot, const run_record& record, std::uint64_t first,
                                    run_state& state, const std::function<void(const event&)>& visit);

/// Folds a run's events, from its checkpoint where there is one. not_found if there is no such run.
[[nodiscard]] result<run_history> replay_run(const journal_snapshot& snapshot, run_number run);

/// How often a run was resumed after a crash and came no further: see vain_resumptions.
[[nodiscard]] result<std::uint32_t> vain_resumptions_of(const journal_snapshot& snapshot, const run_record& record);

/// invalid_input, listing them, if assets that `reopened` has waiting are no longer defined as they were when the run
/// started.
[[nodiscard]] result<void> changed_definitions(const project& on, const catalog& names, const run_history& history,
                                               const run_state& reopened);

} // namespace troupe_internal
