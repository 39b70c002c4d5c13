// A directed graph in compressed rows, from both ends and in order. Knows nothing of what the nodes are.
#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace troupe_internal {

/// Every list is sorted by index and without duplicates.
class graph_rows {
public:
  /// `up` and `up_start`: the targets of node i are up[up_start[i] … up_start[i + 1]).
  graph_rows(std::vector<asset_index> up, std::vector<std::uint32_t> up_start);
  graph_rows() = default;

  [[nodiscard]] std::span<const asset_index> upstream(asset_index i) const { return row(up_, up_start_, i); }
  [[nodiscard]] std::span<const asset_index> downstream(asset_index i) const { return row(down_, down_start_, i); }
  /// Every node once, each after all that are upstream of it; of those ready at once the first comes first. Those on
  /// cycles, and what is downstream of them, are missing.
  [[nodiscard]] std::span<const asset_index> order() const { return order_; }
  [[nodiscard]] std::size_t size() const { return up_start_.empty() ? 0 : up_start_.size() - 1; }
  [[nodiscard]] bool has_cycle() const { return order_.size() != size(); }
  [[nodiscard]] const std::vector<asset_index>& targets() const { return up_; }
  [[nodiscard]] const std::vector<std::uint32_t>& starts() const { return up_start_; }

private:
  [[nodiscard]] std::span<const asset_index> row(const std::vector<asset_index>& all,
                                                 const std::vector<std::uint32_t>& start, asset_index i) const {
    return std::span(all).subspan(start[i.value], start[i.value + 1] - start[i.value]);
  }
  void invert();
  void put_in_order();

  std::vector<asset_index> up_, down_, order_;
  std::vector<std::uint32_t> up_start_, down_start_; // size() + 1 each
};

} // namespace troupe_internal
