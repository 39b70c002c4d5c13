// Where the state of a supervisor is that a command is to talk to: the one of its own file, or that of the pipeline
// here. Knows no socket.
#pragma once

#include "cli/invocation.hpp"

#include <string>

namespace troupe_internal::cli {

/// With -f naming a supervisor's file, or supervisor.json in this folder where neither -f nor --state is given: the
/// state that it names. Else as invocation::state_folder().
[[nodiscard]] result<std::string> supervisor_state(const invocation& with);

/// Whether -f names a supervisor's file.
[[nodiscard]] bool names_supervisor(const invocation& with);

/// Of the pipelines of the supervisor's file that -f names: the one that --pipeline names, or the only one; with the
/// supervisor's state, unless --state names another. invalid_input, with the names there are, where it has to be named.
[[nodiscard]] result<project_options> pipeline_of_supervisor(const invocation& with);

} // namespace troupe_internal::cli
