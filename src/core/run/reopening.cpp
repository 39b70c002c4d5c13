// What is lost, and all that needs it.
#include "core/run/reopening.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal {

asset_set reopened_by_resume(const asset_graph& graph, std::span<const asset_id> ids, const run_state& state,
                             const std::function<bool(asset_index)>& lost) {
  std::vector<bool> waits(graph.size(), false); // by asset_index, of the assets of the run
  std::vector<asset_id> reopened;
  for (const auto asset : graph.topological_order()) {
    const auto position = state.position(ids[asset.value]);
    if (!position)
      continue;
    const auto status = state.at(*position).status;
    const bool done = status == asset_status::succeeded || status == asset_status::fresh;
    const auto upstream = graph.upstream(asset);
    const bool again = !done ||
                       std::any_of(upstream.begin(), upstream.end(), [&](asset_index u) { return waits[u.value]; }) ||
                       lost(asset);
    waits[asset.value] = again;
    if (done && again)
      reopened.push_back(ids[asset.value]);
  }
  return make_asset_set(std::move(reopened));
}

} // namespace troupe_internal
