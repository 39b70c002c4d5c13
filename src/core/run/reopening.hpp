// Which assets of a run that is resumed are judged again although they were done. Knows the graph and the run's state;
// does not know how a lost output is found out.
#pragma once

#include "core/model/event.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/run/run_state.hpp"

#include <functional>
#include <span>

namespace troupe_internal {

/// The assets that had succeeded or were fresh in `state` and wait again when the run is resumed: those that are `lost`
/// (asked of no others), and all that need an asset which waits. `ids` by asset_index.
[[nodiscard]] asset_set reopened_by_resume(const asset_graph& graph, std::span<const asset_id> ids,
                                           const run_state& state, const std::function<bool(asset_index)>& lost);

} // namespace troupe_internal
