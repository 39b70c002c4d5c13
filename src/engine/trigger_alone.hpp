// What may be changed of a trigger while no supervisor has the state: as the state's writer. Knows no trigger's
// definition.
#pragma once

#include "engine/trigger_intake.hpp"

#include <string>

namespace troupe_internal {

/// Asks the supervisor of the state; if nobody has the state, a pause, a resumption and a cursor are appended by this
/// process. Errors: as ask_supervisor(), and not_found for a trigger that the state has never known.
[[nodiscard]] result<taken_event> change_trigger(const std::string& state_folder, const trigger_ask& asked);

/// The record of a trigger, by TRIGGER or PIPELINE/TRIGGER. not_found; invalid_input where several pipelines have it.
[[nodiscard]] result<trigger_record> find_trigger_record(const std::string& state_folder, const std::string& name);

} // namespace troupe_internal
