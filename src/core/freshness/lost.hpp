// Whether what a run was done with still counts when the run is resumed. Knows records and files as found; does not
// know how they were read.
#pragma once

#include "core/freshness/freshness.hpp"
#include "core/model/run_record.hpp"

#include <functional>
#include <vector>

namespace troupe_internal {

/// An asset that had succeeded, or was fresh, in a run that is going to be resumed.
struct done_asset {
  const asset_record* record = nullptr; ///< as of now; null: there is none
  asset_status status = asset_status::succeeded;
  bool fresh = false;  ///< judged by all that it is made from, as of now
  bool source = false; ///< see freshness_policy
  /// Its declared outputs as they are now; false: they cannot be read.
  std::function<bool(std::vector<file_version>&)> outputs{};
};

/// Whether it has to be judged again: another run has started an attempt at it since and it is stale, or its outputs
/// are not as its last materialization left them. `run`: the record of the run that is resumed.
[[nodiscard]] bool counts_no_more(const done_asset& asset, const run_record& run, const name_source& names);

} // namespace troupe_internal
