// Finding cycles in a directed graph in compressed rows. Knows nothing of what the nodes are.
#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace troupe_internal {

/// One shortest cycle of each strongly connected part with more than one node, through the part's lowest node, which
/// stands first (and is not repeated at the end); ordered by that node. The targets of node i are
/// targets[start[i] … start[i + 1]); an edge from a node to itself is no cycle here. Needs no recursion, whatever the
/// depth (Tarjan's algorithm with a stack of its own, then a breadth-first search).
[[nodiscard]] std::vector<std::vector<asset_index>> find_cycles(std::span<const asset_index> targets,
                                                                std::span<const std::uint32_t> start);

/// For each node a number that it shares with exactly those nodes that it leads to and that lead to it.
[[nodiscard]] std::vector<std::uint32_t> strong_parts(std::span<const asset_index> targets,
                                                      std::span<const std::uint32_t> start);

} // namespace troupe_internal
