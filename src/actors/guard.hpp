// What every actor does with what must not happen: it tells the supervisor, and prints nothing. Knows no behaviour.
#pragma once

#include "actors/protocol.hpp"

#include <exception>
#include <string>

namespace troupe_internal {

/// What an exception says.
inline std::string words_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

/// Calls `tell` (from the actor) with what went wrong.
template <class Self, class Tell>
void guard_actor_with(Self* self, Tell tell) {
  self->set_exception_handler([tell](std::exception_ptr& thrown) -> caf::error {
    std::string what = "an unknown exception";
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      what = e.what();
    } catch (...) {
      what = "an exception that is no std::exception";
    }
    tell(what);
    return caf::sec::runtime_error;
  });
  self->set_default_handler([tell](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    tell("an unexpected message");
    return caf::sec::unexpected_message;
  });
}

/// Makes exceptions and unexpected messages of an actor the supervisor's business; `who` names the actor in its error.
template <class Self>
void guard_actor(Self* self, supervisor_handle supervisor, std::string who) {
  guard_actor_with(self, [supervisor, who](const std::string& what) {
    caf::anon_send(supervisor, actor_broken{who + ": " + what});
  });
}

} // namespace troupe_internal
