// Linear in nodes and edges, and nothing recurses: a chain of a million assets is as good as any.
#include "core/pipeline/graph_rows.hpp"

#include <functional>
#include <queue>

namespace troupe_internal {

graph_rows::graph_rows(std::vector<asset_index> up, std::vector<std::uint32_t> up_start)
    : up_(std::move(up)), up_start_(std::move(up_start)) {
  invert();
  put_in_order();
}

void graph_rows::invert() {
  down_start_.assign(size() + 1, 0);
  for (const asset_index needed : up_)
    ++down_start_[needed.value + 1];
  for (std::size_t i = 0; i < size(); ++i)
    down_start_[i + 1] += down_start_[i];
  std::vector<std::uint32_t> next(down_start_.begin(), down_start_.end() - 1);
  down_.resize(up_.size());
  for (std::uint32_t i = 0; i < size(); ++i)
    for (std::uint32_t e = up_start_[i]; e < up_start_[i + 1]; ++e)
      down_[next[up_[e].value]++] = asset_index(i);
}

/// A. B. Kahn's algorithm, always taking the first of those ready. Those ready ahead of the scan wait for it to come
/// by; only what becomes ready behind it needs a heap.
void graph_rows::put_in_order() {
  const auto count = static_cast<std::uint32_t>(size());
  std::vector<std::uint32_t> missing(count);
  for (std::uint32_t i = 0; i < count; ++i)
    missing[i] = up_start_[i + 1] - up_start_[i];
  order_.reserve(count);
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> behind;
  for (std::uint32_t scan = 0; scan < count || !behind.empty();) {
    std::uint32_t taken = scan;
    if (!behind.empty()) {
      taken = behind.top();
      behind.pop();
    } else if (missing[scan++] != 0) {
      continue;
    }
    order_.emplace_back(taken);
    for (std::uint32_t e = down_start_[taken]; e < down_start_[taken + 1]; ++e)
      if (const std::uint32_t dependent = down_[e].value; --missing[dependent] == 0 && dependent < scan)
        behind.push(dependent);
  }
}

} // namespace troupe_internal
