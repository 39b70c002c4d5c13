// How much of the critical path still lies before each asset. Knows no clock and nothing of what is running.
#pragma once

#include "base/time.hpp"
#include "core/pipeline/asset_graph.hpp"

#include <vector>

namespace troupe_internal {

/// For each asset, by index: its own duration and that of the longest chain of what needs it, directly or not. Among
/// ready assets the one with the largest goes first (longest remaining path, as in critical path scheduling).
/// `durations` has one entry an asset (aborts otherwise), negative ones count as 0; sums stop at the largest duration.
[[nodiscard]] std::vector<duration> longest_remaining_path(const asset_graph& graph,
                                                           const std::vector<duration>& durations);

} // namespace troupe_internal
