// One pass against the topological order: what needs an asset is known before the asset.
#include "core/run/critical_path.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace troupe_internal {

std::vector<duration> longest_remaining_path(const asset_graph& graph, const std::vector<duration>& durations) {
  TROUPE_CHECK(durations.size() == graph.size(), "one duration an asset");
  std::vector<duration> remaining(graph.size(), duration::zero());
  const auto order = graph.topological_order();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    duration longest = duration::zero();
    for (const asset_index dependent : graph.downstream(*it))
      longest = std::max(longest, remaining[dependent.value]);
    const duration own = std::max(duration::zero(), durations[it->value]);
    remaining[it->value] = own > duration::max() - longest ? duration::max() : own + longest;
  }
  return remaining;
}

} // namespace troupe_internal
