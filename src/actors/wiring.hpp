// Spawns and wires the actors of one run in a given actor system, and takes them down. Knows neither which scheduler
// runs them nor how their end is waited for: the host and the simulation do.
#pragma once

#include "actors/actor_run.hpp"
#include "actors/gate.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor_actor.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace troupe_internal {

/// The actors that stand above the assets.
struct run_actors {
  supervisor_handle supervisor;
  executor_handle executor;
  journal_handle journal;
};

/// Spawns all and lets the run begin. Takes out of `setup` what can be moved. `on_end` is called once, by the
/// supervisor. `presence`: each actor holds it until nothing of the actor runs any more.
[[nodiscard]] run_actors spawn_run(caf::actor_system& system, run_setup& setup, const std::shared_ptr<gate>& way_in,
                                   std::function<void(run_end)> on_end, const std::shared_ptr<void>& presence = {});
/// Closes the gate and asks all to end. Keep what it returns until they have: releasing a chain of handles of actors
/// that still live would recurse.
[[nodiscard]] std::vector<asset_handle> end_run(const run_actors& actors, gate& way_in);

} // namespace troupe_internal
