// What is judged again when a run begins.
#include "core/schedule/admission.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace troupe_internal {

std::uint64_t record_changes::begin_planning() {
  ++planners_;
  return noted_;
}

void record_changes::end_planning() {
  TROUPE_CHECK(planners_ > 0, "planning ends that did not begin");
  if (--planners_ == 0)
    changed_.clear();
}

void record_changes::note(std::span<const asset_id> changed) {
  for (const auto asset : changed) {
    ++noted_;
    if (planners_ > 0)
      changed_.emplace_back(noted_, asset);
  }
}

std::vector<asset_id> record_changes::since(std::uint64_t mark) const {
  std::vector<asset_id> found;
  for (const auto& [when, asset] : changed_)
    if (when > mark)
      found.push_back(asset);
  return found;
}

touched_assets::touched_assets(std::vector<asset_index> assets) : assets_(std::move(assets)) {
  std::sort(assets_.begin(), assets_.end());
  assets_.erase(std::unique(assets_.begin(), assets_.end()), assets_.end());
}

bool touched_assets::contains(asset_index asset) const {
  return std::binary_search(assets_.begin(), assets_.end(), asset);
}

std::vector<asset_index> touched_assets::to_read(const asset_graph& graph, asset_index asset) const {
  std::vector<asset_index> found;
  if (assets_.empty())
    return found;
  if (contains(asset))
    found.push_back(asset);
  for (const auto upstream : graph.upstream(asset))
    if (contains(upstream))
      found.push_back(upstream);
  return found;
}

division divide(const asset_graph& graph, const std::vector<bool>& in_run, const std::vector<bool>& fresh,
                std::vector<asset_index> touched) {
  std::vector<bool> may_change(graph.size(), false);
  for (const auto asset : touched)
    may_change[asset.value] = true;
  if (!touched.empty())
    for (const auto asset : graph.topological_order())
      for (const auto upstream : graph.upstream(asset))
        may_change[asset.value] = may_change[asset.value] || may_change[upstream.value];
  division made;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (!in_run[i])
      continue;
    if (fresh[i] && !may_change[i]) {
      made.fresh.emplace_back(i);
      continue;
    }
    made.waiting.emplace_back(i);
    if (fresh[i])
      touched.emplace_back(i);
  }
  made.touched = touched_assets(std::move(touched));
  return made;
}

} // namespace troupe_internal
