// Verbs beside a supervisor that has their state: it does what they ask, in its environment. Knows which question each
// verb asks; nothing of sockets.
#pragma once

#include "cli/run_arguments.hpp"
#include "engine/delegation.hpp"

#include <string>

namespace troupe_internal::cli {

/// The supervisor of the state that this command is about; nullopt: there is none, or the state cannot be told.
[[nodiscard]] std::optional<supervisor_answer> supervisor_here(const invocation& with);

/// `run`: the file as it is now is loaded by the supervisor, too, and run there. `on` is what it is for this command.
/// `detach`: only until the run is on disk.
[[nodiscard]] int run_beside(invocation& with, const supervisor_answer& supervisor, const project& on,
                             const run_options& options, const run_manner& manner, bool detach);

/// For who only reads: where a supervisor has the project's state, the variables that its assets declare, without
/// secret ones, count with the supervisor's values; says so where there are any. Where one does not answer, this
/// process's own count, which is said, too.
void use_environment_of_supervisor(invocation& with, project& on);

/// "in the supervisor (pid N, user U, its environment)"
[[nodiscard]] std::string words_on(const supervisor_answer& supervisor);

} // namespace troupe_internal::cli
