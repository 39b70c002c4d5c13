// Whether an asset that was done in a run is still as that run left it. Knows the state's records and the files as of
// now; does not know what a resume does about it.
#pragma once

#include "core/model/run_record.hpp"
#include "core/run/run_state.hpp"
#include "engine/planning.hpp"

namespace troupe_internal {

/// Of an asset that is succeeded or fresh in `state`: its outputs are not as its last materialization left them, or
/// another run has made it or tried to since, and it is stale. `plan` has the asset in its scope, with its record.
[[nodiscard]] bool is_lost(const project& on, const planning& plan, const run_record& run, const run_state& state,
                           asset_index asset);

} // namespace troupe_internal
