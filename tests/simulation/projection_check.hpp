// What the state shows of a history (its projections: last materializations, open attempts, the runs' records), folded
// as the store folds it and held against the events by plain reading. Knows nothing of storage.
#pragma once

#include "core/model/run_record.hpp"
#include "core/run/run_state.hpp"
#include "random_case.hpp"

#include <vector>

namespace troupe_internal::test {

/// Folds all events and throws std::runtime_error where the projections say something else than the events do. Returns
/// the attempts that are open: what the next writer records as interrupted.
std::vector<open_attempt> check_projections(const std::vector<event>& events);

/// What must stand in the journal before its run: the names of all assets.
[[nodiscard]] event names_of(const random_case& on);

} // namespace troupe_internal::test
