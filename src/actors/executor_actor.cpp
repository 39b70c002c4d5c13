// Requests in; answers leave as messages to the asset, from whatever thread the port gives them on.
#include "actors/executor_actor.hpp"

#include "actors/guard.hpp"

namespace troupe_internal {

executor_handle::behavior_type executor_actor(executor_handle::stateful_pointer<executor_state> self,
                                              executor_state initial) {
  self->state = std::move(initial);
  guard_actor(self, self->state.supervisor, "executor actor");
  return {
      [self](examine_request& request) {
        self->state.port->examine(request.asset, std::move(request.upstreams),
                                  [back = self->state.back, asset = request.asset](examination found) {
                                    back->to_asset(asset, examined{std::move(found)});
                                  });
      },
      [self](const execute_request& request) {
        self->state.port->execute(
            request.asset, request.attempt,
            [back = self->state.back, request](process_spawned process) {
              back->to_asset(request.asset, process_report{request.attempt, process});
            },
            [back = self->state.back, request](execution how) {
              back->to_asset(request.asset, executed{request.attempt, std::move(how)});
            });
      },
      [self](const check_request& request) {
        self->state.port->check_discovered(
            request.asset, request.attempt, [back = self->state.back, request](bool as_before) {
              back->to_supervisor(discovered_report{request.asset, request.attempt, as_before});
            });
      },
      [self](const end_all_request& request) { self->state.port->end_all(request.how); },
      [self](const settle_request&) {
        self->state.port->settle([back = self->state.back] { back->to_supervisor(files_settled{}); });
      },
  };
}

} // namespace troupe_internal
