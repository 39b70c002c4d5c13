// What is asked of a supervisor's trigger from the command line, and how its answer is shown. Knows no socket.
#pragma once

#include "cli/invocation.hpp"
#include "engine/trigger_intake.hpp"

namespace troupe_internal::cli {

/// Asks, and shows the answer. Returns the exit status: 0 once it is on disk, also for a duplicate; 1 if it is refused;
/// 2 if there is no such trigger, or the request is wrong; 3 if no supervisor has the state.
[[nodiscard]] int ask_trigger(invocation& with, trigger_ask asked);

} // namespace troupe_internal::cli
