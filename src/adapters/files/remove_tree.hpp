// Removing a file or a whole folder. Knows nothing of who may ask for it.
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace troupe_internal {

/// Removes what `path` (relative to the descriptor `at`, or absolute) names: a link itself, never what it leads to; a
/// folder with all in it. Looks at everything first: where a mount point or a folder that cannot be listed is in the
/// way, nothing is removed. Nothing there is no error. Any thread; blocks.
[[nodiscard]] result<void> remove_tree(int at, std::string_view path);

} // namespace troupe_internal
