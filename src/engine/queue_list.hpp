// The queue of a state for who is not its supervisor: what waits, and why if a supervisor can say so. Knows no
// pipeline.
#pragma once

#include "base/result.hpp"
#include "engine/run_ask.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// In the order in which they are to start. Without a supervisor `waits_for` is "supervisor". Nothing where there is no
/// state.
[[nodiscard]] result<std::vector<queued_run_info>> list_queue(const std::string& state_folder);

/// A queued run gets another priority, durably. state_unusable if no supervisor has the state; not_found if the run is
/// not queued.
[[nodiscard]] result<void> prioritize_queued(const std::string& state_folder, run_number run, std::int32_t priority);

} // namespace troupe_internal
