// An open folder that closes itself. Knows nothing of what is read from it.
#pragma once

#include <dirent.h>

#include <memory>

namespace troupe_internal {

struct close_dir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};

/// Owns what opendir or fdopendir gave; empty where they failed (errno says why).
using unique_dir = std::unique_ptr<DIR, close_dir>;

} // namespace troupe_internal
