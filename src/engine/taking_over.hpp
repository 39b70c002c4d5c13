// What is true of a pipeline in one state, as events for another one. Knows nothing of files and folders.
//
// What is taken over: of each asset the last materialization, with its definition; of each file what is known of its
// content. The ids are the other state's. Runs and logs stay where they are, so a record has no run there and counts as
// adopted. Not taken over are records whose last attempt did not succeed, since what that attempt left counts for
// nothing, and values that functions of a host have handed on, which lie in files of the state: such assets are made
// again.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"
#include "ports/journal_store.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The ids of the state that takes over, given out where it has none yet.
struct ids_there {
  std::function<asset_id(std::string_view name, std::string identity)> asset;
  std::function<path_id(std::string_view name)> path;
  /// Whether that state knows of a success of the asset.
  std::function<bool(asset_id asset)> has_success{};
};

struct taking_over {
  std::vector<event> events; ///< for one transaction
  std::size_t assets = 0;    ///< whose records are among them
};

/// `pipeline`: its name. Errors: those of reading `from`.
[[nodiscard]] result<taking_over> take_over(const journal_snapshot& from, std::string_view pipeline,
                                            const ids_there& ids, timestamp now);

/// ids_there for a state as a snapshot of it says, with `more` for what it does not know.
[[nodiscard]] result<ids_there> ids_of_state(const journal_snapshot& snapshot, ids_there more);

} // namespace troupe_internal
