// The way from messages to the executor port and back. Knows nothing of what executing is.
#pragma once

#include "actors/gate.hpp"
#include "actors/protocol.hpp"

#include <memory>

namespace troupe_internal {

struct executor_state {
  std::shared_ptr<void> presence; ///< first, so that it is let go last
  asset_executor* port = nullptr; ///< outlives the actor
  std::shared_ptr<gate> back;     ///< the way of the answers
  supervisor_handle supervisor;
};

executor_handle::behavior_type executor_actor(executor_handle::stateful_pointer<executor_state> self,
                                              executor_state initial);

} // namespace troupe_internal
