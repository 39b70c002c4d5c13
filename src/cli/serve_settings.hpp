// From what `troupe serve` was asked and what a supervisor's file says to a supervisor's options. Part of the program,
// as serve_here is. Starts nothing.
#pragma once

#include "cli/serve_here.hpp"
#include "serve/supervisor.hpp"

namespace troupe_internal::cli {

/// All but its log and what belongs to this process. invalid_input with the way out for what cannot be served.
[[nodiscard]] result<serve::supervisor_options> options_for(const serve_request& request);

} // namespace troupe_internal::cli
