// What is special about the file system that a file is on. Knows nothing of the file.
#pragma once

#include <sys/stat.h>

#include <string_view>

namespace troupe_internal {

enum class device_kind : unsigned char {
  ordinary,
  invents_bits, ///< every file is executable there, or none is, whatever chmod said: vfat, cifs, 9p
  kernel,       ///< the kernel makes up the content when it is read, and the stat says nothing about it: /proc, /sys
};

/// Of the file that `info` is the stat of, at `path` relative to the descriptor `at`. Asks the system once for each
/// device. Any thread.
[[nodiscard]] device_kind kind_of_device(const struct stat& info, int at, std::string_view path);

} // namespace troupe_internal
