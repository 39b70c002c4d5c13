// What a link in a folder leads to, as far as it may count by that. Knows nothing of how it counts.
#pragma once

#include "base/result.hpp"

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace troupe_internal {

/// The end of a chain of links.
struct link_target {
  enum class leads_to : unsigned char {
    nothing, ///< that may count: it is dangling, or leads to a FIFO, socket or device, or into /proc, /sys or /dev
    file,
    folder,
  };
  leads_to what = leads_to::nothing;
  std::string text;    ///< of the link itself
  std::string real;    ///< absolute, without links: where the file or folder is
  struct stat info {}; ///< of the file or folder
};

/// Follows the link at `path`, relative to the descriptor `at` of the folder `root` (absolute), or absolute. What it
/// leads to is not opened. /dev/shm is a folder like any other. Any thread.
[[nodiscard]] result<link_target> follow_link(int at, std::string_view root, std::string_view path);

/// Where a file or folder is, links followed; empty if it has gone. Paths as for follow_link().
[[nodiscard]] std::string real_path(int at, std::string_view root, std::string_view path);

/// Whether `path` is `folder` or lies in it, both real.
[[nodiscard]] bool is_within(std::string_view path, std::string_view folder);

} // namespace troupe_internal
