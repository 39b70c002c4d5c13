// Asking whoever serves a state, through its control socket: one question, one answer. Knows nothing of what is asked.
#pragma once

#include "base/result.hpp"
#include "engine/control_protocol.hpp"
#include "engine/supervisor_ask.hpp"

#include <chrono>
#include <string>

namespace troupe_internal {

/// The answer of the process that has this state. Errors: not_found where nobody answers at its socket;
/// state_unusable where there is no answer in time, or where it is a refusal with that meaning.
[[nodiscard]] result<control_message> answer_of(const std::string& state_folder, const control_message& request,
                                                std::chrono::milliseconds longest);
/// The same for what is asked of a supervisor as a whole.
[[nodiscard]] result<supervisor_answer> ask_supervisor(const std::string& state_folder, const supervisor_ask& asked,
                                                       std::chrono::milliseconds longest = std::chrono::seconds(60));

} // namespace troupe_internal
