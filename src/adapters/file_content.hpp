// The stat and the content of one file or folder as the file system port defines them. Knows nothing of globs.
#pragma once

#include "adapters/look_bounds.hpp"
#include "base/result.hpp"
#include "core/exclusion.hpp"
#include "core/materialization.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// The port's view of what the kernel says of anything that is not a folder.
[[nodiscard]] file_stat to_file_stat(const struct stat& info);

/// The stat of a folder: that of all beneath it that the filter leaves, but for the state's folder, folded. `path`
/// relative to the descriptor `at`, or absolute.
[[nodiscard]] result<file_stat> fold_folder_stat(int at, std::string_view path, const folder_filter& filter,
                                                 const look_bounds& bounds);

/// The digest of a regular file's bytes with the stat it had when it was opened. If it changed while it was read, it is
/// read again, a few times where that is cheap; if it merely grew, or keeps changing, what was read counts: its stat is
/// one that the file does not have any more, so the next look reads it again. `seen`: what it was a moment ago, links
/// followed: anything but a file is an error, and is not opened.
[[nodiscard]] result<file_record> read_file_record(int at, std::string_view path, const struct stat& seen,
                                                   const look_bounds& bounds);

/// The digest of a folder: of each member in order its kind, relative name, executable bit (files), target (links) and
/// content (files); what the filter leaves out does not count. Where anything beneath changes meanwhile, as for a file;
/// a member that goes away is left out.
[[nodiscard]] result<file_record> read_folder_record(int at, std::string_view path, const folder_filter& filter,
                                                     const look_bounds& bounds);

/// A regular file's bytes if they are at most `limit`. Never waits on a FIFO or device.
[[nodiscard]] result<std::string> read_whole_file(int at, std::string_view path, std::uint64_t limit);

} // namespace troupe
