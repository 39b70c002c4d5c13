// Runs that a supervisor carries out for a command beside it: asked for through the control socket, and watched by
// reading the journal. Knows nothing of how they are shown.
#pragma once

#include "engine/project.hpp"
#include "engine/run_ask.hpp"
#include "engine/supervisor_ask.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// The supervisor that answers at this state's control socket; nullopt: there is none, or one run's own process.
[[nodiscard]] std::optional<supervisor_answer> supervisor_of(const std::string& state_folder);

/// Has the supervisor take a run on; on disk when this returns.
[[nodiscard]] result<submitted_run> submit_to_supervisor(const std::string& state_folder, const run_ask& ask);

/// The same, and watches it to its end. A stop request cancels it, a second one at once; if this process dies, the run
/// goes on. `interrupted` is the status where the supervisor stopped first. Errors: those of the supervisor, and
/// state_unusable where it has died.
[[nodiscard]] result<run_result> run_in_supervisor(const project& on, const run_ask& ask, run_observer& observer,
                                                   stop_request& stop);
/// Likewise for a run that is to go on. `secrets`: its secret params, which are recorded nowhere.
[[nodiscard]] result<run_result> resume_in_supervisor(const project& on, run_number run,
                                                      const std::vector<std::pair<std::string, std::string>>& secrets,
                                                      run_observer& observer, stop_request& stop);

} // namespace troupe_internal
