// From a plan to a run's beginning, while other runs go on: whose records have changed since the plan's snapshot, and
// which assets are therefore judged again. Pure. Knows nothing of how a plan or a record is made.
#pragma once

#include "core/pipeline/asset_graph.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Whose records change while somebody plans. Keeps nothing while nobody does. One thread at a time.
class record_changes {
public:
  /// A planner is going to take its snapshot. Returns the mark that since() takes; end_planning() must follow.
  [[nodiscard]] std::uint64_t begin_planning();
  void end_planning();
  void note(std::span<const asset_id> changed);
  /// Those that were noted since then, in order; an asset may come twice.
  [[nodiscard]] std::vector<asset_id> since(std::uint64_t mark) const;

private:
  std::size_t planners_ = 0;
  std::uint64_t noted_ = 0; ///< in all
  std::vector<std::pair<std::uint64_t, asset_id>> changed_;
};

/// Assets of a run whose records others may have changed since the plan, or that the plan did not keep: their records
/// are read anew when they have all they need.
class touched_assets {
public:
  touched_assets() = default;
  explicit touched_assets(std::vector<asset_index> assets); ///< in any order
  [[nodiscard]] bool contains(asset_index asset) const;
  /// Of the asset and of what it needs, those that are touched; the asset itself first.
  [[nodiscard]] std::vector<asset_index> to_read(const asset_graph& graph, asset_index asset) const;
  [[nodiscard]] const std::vector<asset_index>& all() const { return assets_; } ///< sorted

private:
  std::vector<asset_index> assets_;
};

/// Which assets of a run are fresh from its start, and which are to be judged.
struct division {
  std::vector<asset_index> fresh;   ///< in order
  std::vector<asset_index> waiting; ///< likewise
  touched_assets touched;           ///< as given, and those that wait only because of them
};

/// `in_run`, and `fresh`: what the plan found, by asset_index. `touched`: whose records others have changed since, or
/// may be going to. Nothing that needs one of these, over any number of others, counts as fresh.
[[nodiscard]] division divide(const asset_graph& graph, const std::vector<bool>& in_run, const std::vector<bool>& fresh,
                              std::vector<asset_index> touched);

} // namespace troupe_internal
