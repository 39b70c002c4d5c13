// Which file or folder on disk a path leads to, whatever the path's text. Knows nothing of what it holds.
#pragma once

#include "base/result.hpp"

#include <sys/stat.h>

#include <compare>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// One file or folder as the kernel tells them apart. Good for one moment, never recorded.
struct disk_identity {
  dev_t device = 0;
  ino_t inode = 0;
  [[nodiscard]] bool is(const struct stat& info) const { return info.st_ino == inode && info.st_dev == device; }
  friend auto operator<=>(const disk_identity&, const disk_identity&) = default;
};

/// The folder at `path` (relative to the descriptor `at`, or absolute; empty for `at` itself) and all folders that it
/// lies in, up to the root of all. Any thread.
[[nodiscard]] result<std::vector<disk_identity>> identities_up(int at, std::string_view path);

} // namespace troupe_internal
