// The behaviour of an asset.
#include "actors/asset_actor.hpp"

#include "actors/guard.hpp"
#include "actors/handover.hpp"

namespace troupe_internal {

asset_handle::behavior_type asset_actor(asset_handle::stateful_pointer<asset_state> self, asset_state initial) {
  self->state = std::move(initial);
  guard_actor(self, self->state.supervisor, "asset actor " + std::to_string(self->state.asset.value));
  return {
      [self](const run_begun&) {
        if (self->state.needs == 0)
          self->send(self->state.supervisor, claim{self->state.asset});
      },
      [self](const upstream_completed&) {
        if (self->state.needs > 0 && --self->state.needs == 0)
          self->send(self->state.supervisor, claim{self->state.asset});
      },
      [self](examine_order& order) {
        self->send(self->state.executor, examine_request{self->state.asset, std::move(order.upstreams)});
      },
      [self](examined& result) {
        take_over();
        self->send(self->state.supervisor, examined_report{self->state.asset, std::move(result.found)});
      },
      [self](const grant& granted) {
        self->send(self->state.executor, execute_request{self->state.asset, granted.attempt});
      },
      [self](const process_report& report) {
        take_over();
        self->send(self->state.supervisor, spawned_report{self->state.asset, report});
      },
      [self](executed& outcome) {
        take_over();
        self->send(self->state.supervisor, outcome_report{self->state.asset, std::move(outcome)});
      },
      [self](const settled& final_status) {
        if (final_status.dependents_may_go_on)
          for (const auto& dependent : self->state.dependents)
            self->send(dependent, upstream_completed{self->state.asset});
        self->state.dependents.clear();
        self->quit();
      },
  };
}

} // namespace troupe_internal
