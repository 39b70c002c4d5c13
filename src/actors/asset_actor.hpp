// One asset in one run: counts its upstreams down, claims, has itself examined and executed, and tells its dependents.
// Knows nothing of policy: whether and when it may run is the supervisor's word.
#pragma once

#include "actors/protocol.hpp"

#include <memory>
#include <vector>

namespace troupe_internal {

struct asset_state {
  std::shared_ptr<void> presence; ///< first, so that it is let go last
  asset_index asset;
  std::uint32_t needs = 0;              ///< upstreams of this run that are not done
  std::vector<asset_handle> dependents; ///< in this run
  supervisor_handle supervisor;
  executor_handle executor;
};

/// Spawn with dependents first. Ends itself when settled.
asset_handle::behavior_type asset_actor(asset_handle::stateful_pointer<asset_state> self, asset_state initial);

} // namespace troupe_internal
