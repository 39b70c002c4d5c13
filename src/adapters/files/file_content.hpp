// The stat and the content of one file as the file system port defines them. Knows nothing of folders or globs.
#pragma once

#include "adapters/files/look_bounds.hpp"
#include "base/result.hpp"
#include "core/model/materialization.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

/// The port's view of what the kernel says of anything that is not a folder, at `path` relative to the descriptor `at`.
[[nodiscard]] file_stat to_file_stat(const struct stat& info, int at, std::string_view path);

/// The digest of a regular file's bytes with the stat it had when it was opened. If it changed while it was read, it is
/// read again, a few times where that is cheap; if it merely grew, or keeps changing, what was read counts: its stat is
/// one that the file does not have any more, so the next look reads it again. `seen`: what it was a moment ago, links
/// followed: anything but a file is an error, and is not opened.
[[nodiscard]] result<file_record> read_file_record(int at, std::string_view path, const struct stat& seen,
                                                   const look_bounds& bounds);

/// A regular file's bytes if they are at most `limit`. Never waits on a FIFO or device.
[[nodiscard]] result<std::string> read_whole_file(int at, std::string_view path, std::uint64_t limit);

} // namespace troupe_internal
