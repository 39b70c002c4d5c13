// What every actor does with what must not happen: it tells the supervisor, and prints nothing. Knows no behaviour.
#pragma once

#include "actors/protocol.hpp"

#include <exception>
#include <string>

namespace troupe {

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

/// Makes exceptions and unexpected messages of an actor the supervisor's business; `who` names the actor in its error.
template <class Self>
void guard_actor(Self* self, supervisor_handle supervisor, std::string who) {
  self->set_exception_handler([supervisor, who](std::exception_ptr& thrown) -> caf::error {
    caf::anon_send(supervisor, actor_broken{who + ": " + words_of(thrown)});
    return caf::sec::runtime_error;
  });
  self->set_default_handler([supervisor, who](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    caf::anon_send(supervisor, actor_broken{who + ": an unexpected message"});
    return caf::sec::unexpected_message;
  });
}

} // namespace troupe
