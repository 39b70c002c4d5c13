// Which assets discover inputs that which others make, in random runs: drawn, and followed. Knows nothing of attempts.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "support/random_run.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal::test {

/// By asset_index: whose outputs each asset discovers when it is made.
using discoveries = std::vector<std::vector<asset_index>>;

/// None in most runs; else some assets discover what up to three others make, whoever needs whom.
[[nodiscard]] inline discoveries make_discoveries(seeded& random, std::uint32_t size) {
  discoveries made(size);
  if (size < 2 || !random.once_in(3))
    return made;
  const auto rare = 1 + random.below(6);
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!random.once_in(rare))
      continue;
    for (auto count = 1 + random.below(3); count > 0; --count) {
      const asset_index maker(random.below(size));
      if (maker.value != i && std::find(made[i].begin(), made[i].end(), maker) == made[i].end())
        made[i].push_back(maker);
    }
  }
  return made;
}

/// Whether an asset needs another one, over any number of others: by the graph, or by what they discover.
[[nodiscard]] inline bool needs_somehow(const asset_graph& graph, const discoveries& discovered, asset_index asset,
                                        asset_index needed) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<asset_index> found{asset};
  for (std::size_t next = 0; next < found.size(); ++next) {
    if (found[next] == needed)
      return true;
    const auto go_on = [&](asset_index to) {
      if (!seen[to.value]) {
        seen[to.value] = true;
        found.push_back(to);
      }
    };
    for (const auto upstream : graph.upstream(found[next]))
      go_on(upstream);
    for (const auto maker : discovered[found[next].value])
      go_on(maker);
  }
  return false;
}

} // namespace troupe_internal::test
