// R. Tarjan, "Depth-First Search and Linear Graph Algorithms", 1972, with the recursion unrolled.
#include "core/pipeline/cycles.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

constexpr std::uint32_t no_node = 0xFFFFFFFFU;

class finder {
public:
  finder(std::span<const asset_index> targets, std::span<const std::uint32_t> start)
      : targets_(targets), start_(start), size_(static_cast<std::uint32_t>(start.size() - 1)), number_(size_, no_node),
        low_(size_), next_edge_(start.begin(), start.end() - 1), part_(size_, no_node) {}

  const std::vector<std::uint32_t>& parts() {
    for (std::uint32_t root = 0; root < size_; ++root)
      if (number_[root] == no_node)
        visit(root);
    return part_;
  }

  std::vector<std::vector<asset_index>> all() {
    parts();
    std::sort(lowest_.begin(), lowest_.end());
    std::vector<std::uint32_t> reached_from(size_, no_node);
    std::vector<std::vector<asset_index>> cycles;
    for (const std::uint32_t node : lowest_)
      cycles.push_back(shortest_through(node, reached_from));
    return cycles;
  }

private:
  void visit(std::uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      const std::uint32_t node = path_.back();
      if (next_edge_[node] < start_[node + 1]) {
        const std::uint32_t target = targets_[next_edge_[node]++].value;
        if (number_[target] == no_node)
          enter(target);
        else if (part_[target] == no_node) // still on the stack
          low_[node] = std::min(low_[node], number_[target]);
        continue;
      }
      path_.pop_back();
      if (!path_.empty())
        low_[path_.back()] = std::min(low_[path_.back()], low_[node]);
      if (low_[node] == number_[node])
        close_part(node);
    }
  }

  void enter(std::uint32_t node) {
    number_[node] = low_[node] = count_++;
    path_.push_back(node);
    stack_.push_back(node);
  }

  void close_part(std::uint32_t root) {
    std::uint32_t lowest = root;
    std::size_t members = 0;
    for (std::uint32_t node = no_node; node != root; ++members) {
      node = stack_.back();
      stack_.pop_back();
      part_[node] = root;
      lowest = std::min(lowest, node);
    }
    if (members > 1)
      lowest_.push_back(lowest);
  }

  /// Breadth first within the part, back to where it began. Parts are disjoint, so they share `reached_from`.
  std::vector<asset_index> shortest_through(std::uint32_t first, std::vector<std::uint32_t>& reached_from) const {
    std::vector<std::uint32_t> queue{first};
    for (std::size_t head = 0;; ++head) {
      const std::uint32_t node = queue[head];
      for (std::uint32_t e = start_[node]; e < start_[node + 1]; ++e) {
        const std::uint32_t target = targets_[e].value;
        if (target == first && node != first) {
          std::vector<asset_index> cycle;
          for (std::uint32_t back = node; back != first; back = reached_from[back])
            cycle.emplace_back(back);
          cycle.emplace_back(first);
          std::reverse(cycle.begin(), cycle.end());
          return cycle;
        }
        if (part_[target] != part_[first] || reached_from[target] != no_node || target == first)
          continue;
        reached_from[target] = node;
        queue.push_back(target);
      }
    }
  }

  std::span<const asset_index> targets_;
  std::span<const std::uint32_t> start_;
  std::uint32_t size_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> number_, low_, next_edge_;
  std::vector<std::uint32_t> part_; // the root of its strongly connected part, once that is known
  std::vector<std::uint32_t> path_, stack_, lowest_;
};

} // namespace

std::vector<std::vector<asset_index>> find_cycles(std::span<const asset_index> targets,
                                                  std::span<const std::uint32_t> start) {
  return finder(targets, start).all();
}

std::vector<std::uint32_t> strong_parts(std::span<const asset_index> targets, std::span<const std::uint32_t> start) {
  return finder(targets, start).parts();
}

} // namespace troupe_internal
