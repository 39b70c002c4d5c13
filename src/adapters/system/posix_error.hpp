// errno as errors in words. Knows nothing of who reacts to them.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace troupe_internal {

/// "No such file or directory" and the like, for an errno value. Any thread.
[[nodiscard]] std::string errno_text(int error_number);

/// Whether a call on a descriptor that does not block has failed for now only: it may be made again.
[[nodiscard]] bool would_block(int error_number);

/// "cannot DO PATH: TEXT" with code io. `doing` is a verb phrase: "read", "make the folder".
[[nodiscard]] error posix_error(std::string_view doing, std::string_view path, int error_number);

} // namespace troupe_internal
