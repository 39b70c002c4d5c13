// Running a helper program over a text: in through standard input, out through standard output. Knows nothing of assets
// and their attempts, which are the process executor's.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// What `argv` (looked up in PATH, no shell) writes when given `input`. Waits for it, on the calling thread; at the
/// timeout it is killed. Only descriptors 0 to 2 reach it; what it says on standard error is in the error. Errors:
/// not_found if there is no such program, io for everything else (it could not be started, failed, took too long).
[[nodiscard]] result<std::string> run_text_filter(const std::vector<std::string>& argv, const std::string& input,
                                                  duration timeout);

} // namespace troupe_internal
