// `run --watch`: a run, and another one whenever an input has changed. Knows when to run; nothing of how.
#pragma once

#include "cli/run_arguments.hpp"

#include <functional>

namespace troupe_internal::cli {

/// Runs `once` until a signal ends it or a run; returns the exit status. The state is free between the runs.
[[nodiscard]] int run_and_watch(invocation& with, const run_arguments& arguments, const std::function<int()>& once);

} // namespace troupe_internal::cli
