// --wait: a verb that takes the state's lock waits until it is free. Knows no verb.
#pragma once

#include "cli/invocation.hpp"

#include <functional>
#include <string>

namespace troupe_internal::cli {

/// Declares --wait[=TIME] and gives the verb this action, which is done when nobody has the lock of `state` (without
/// --wait: now). It is done again, from the beginning, where somebody else was faster; once the time is over it is done
/// all the same, and says who has the lock. `state` may answer with an empty text: there is nothing to wait for.
void set_waiting_action(command_spec& verb, invocation& with, std::function<int()> action,
                        std::function<result<std::string>()> state);

} // namespace troupe_internal::cli
