// The stat and the content of one file or folder as the file system port defines them. Knows nothing of globs.
#pragma once

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

/// The stat of a folder: that of all beneath it that the filter leaves, folded. `path` relative to the descriptor `at`,
/// or absolute.
[[nodiscard]] result<file_stat> fold_folder_stat(int at, std::string_view path, const folder_filter& filter = {});

/// The digest of a regular file's bytes with the stat they had; read again if it changed meanwhile. `seen`: what it was
/// a moment ago, links followed: anything but a file is an error, and is not opened.
[[nodiscard]] result<file_record> read_file_record(int at, std::string_view path, const struct stat& seen);

/// The digest of a folder: of each member in order its kind, relative name, executable bit (files), target (links) and
/// content (files); what the filter leaves out does not count. Read again if anything beneath changed meanwhile.
[[nodiscard]] result<file_record> read_folder_record(int at, std::string_view path, const folder_filter& filter = {});

/// A regular file's bytes if they are at most `limit`. Never waits on a FIFO or device.
[[nodiscard]] result<std::string> read_whole_file(int at, std::string_view path, std::uint64_t limit);

} // namespace troupe
