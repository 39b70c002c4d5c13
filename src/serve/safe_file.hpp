// Whether what a file says may be executed for this user: nobody else may have written it. Knows no pipeline.
#pragma once

#include "base/result.hpp"

#include <string>

namespace troupe_internal::serve {

/// invalid_input, with the way out, for a file of another user than this one or root, one that every user may write to,
/// and one in a folder in which every user may put another in its place. What is not there is no business of this.
[[nodiscard]] result<void> require_safe_file(const std::string& path,
                                             const char* danger = "have this supervisor execute anything");

} // namespace troupe_internal::serve
