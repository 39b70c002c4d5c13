// Taking a run off the queue, by whoever has the state, or as its writer where nobody has it. Knows nothing of live
// runs.
#pragma once

#include "base/result.hpp"
#include "core/model/run_record.hpp"

#include <string>

namespace troupe_internal {

/// Waits until the run has left the queue; it may have started meanwhile. state_locked where the process that has the
/// state keeps no queue, or does not answer.
[[nodiscard]] result<run_record> cancel_queued(const std::string& state_folder, run_number run);

} // namespace troupe_internal
