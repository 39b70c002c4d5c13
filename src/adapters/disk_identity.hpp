// Which folder on disk a path leads to, whatever the path's text. Knows nothing of what the folder holds.
#pragma once

#include "base/result.hpp"

#include <sys/types.h>

#include <compare>
#include <string_view>
#include <vector>

namespace troupe {

/// One folder as the kernel tells folders apart, links followed. Good for one moment, never recorded.
struct disk_identity {
  dev_t device = 0;
  ino_t inode = 0;
  friend auto operator<=>(const disk_identity&, const disk_identity&) = default;
};

/// The folder at `path` (relative to the descriptor `at`, or absolute; empty for `at` itself) and all folders that it
/// lies in, up to the root of all. Any thread.
[[nodiscard]] result<std::vector<disk_identity>> identities_up(int at, std::string_view path);

} // namespace troupe
