// The port to files: stat, content, globs, folders. Knows nothing of assets or of what is recorded.
#pragma once

#include "base/digest.hpp"
#include "base/result.hpp"
#include "core/materialization.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Paths are absolute or relative to the root handed to the implementation (the pipeline's folder). stat(), glance()
/// and read() also take the name of a folder without some of its members (core/exclusion). Any thread; may block.
class file_system {
public:
  virtual ~file_system() = default;

  /// Links are followed. A folder's stat stands for all beneath it: its members' names and stats are folded into size
  /// (bytes in all), mtime_ns and ctime_ns (newest of all) and inode (a digest of names, kinds, inodes, sizes and
  /// times), so that equal means unchanged. A missing file is kind absent, not an error; permission problems are
  /// errors.
  [[nodiscard]] virtual result<file_stat> stat(std::string_view path) const = 0;
  /// stat(), but a folder's members are not looked at: of a folder only the kind is told.
  [[nodiscard]] virtual result<file_stat> glance(std::string_view path) const = 0;
  /// stat and the digest of the content as read: a file's bytes; for a folder sorted relative names, kinds, executable
  /// bit, link targets and contents; absent: the all-zero digest; other kinds (FIFO, socket, device) are an error that
  /// says so. What changes while it is read is read again, where that is cheap, at most a few times. What only grows,
  /// or keeps changing, counts as it was read, with the stat it had before: the next look finds another, and reads it
  /// again.
  [[nodiscard]] virtual result<file_record> read(std::string_view path) const = 0;
  /// Files (links followed; no folders) that match, sorted bytewise, in the form of the pattern (relative stays
  /// relative). Folders named in `skip` (normalised relative paths or absolute) are not entered and not matched.
  [[nodiscard]] virtual result<std::vector<std::string>> glob(std::string_view pattern,
                                                              const std::vector<std::string>& skip) const = 0;
  /// The folder that a path leads to, links followed: its identity as core/path_identities has it. What does not exist
  /// is taken by its text. Never fails: where nothing can be found out, the path is handed back.
  [[nodiscard]] virtual std::string real_folder(std::string_view path) const { return std::string(path); }
  /// mkdir -p of the parent folder.
  [[nodiscard]] virtual result<void> make_parent(std::string_view path) const = 0;
  /// Whether the looks of whoever asked for them are no longer wanted: those that take long fail with the code stopped.
  [[nodiscard]] virtual bool broken_off() const { return false; }
  /// The whole file, at most `limit` bytes; not_found if absent; invalid_input if larger.
  [[nodiscard]] virtual result<std::string> read_text(std::string_view path, std::uint64_t limit) const = 0;
};

/// Whether a file with this stat, read at `read_at`, could have been changed afterwards without its stat showing it:
/// its newest time lies within `granularity` of the reading (or after it). Racy records are read again next time.
[[nodiscard]] constexpr bool is_racy(const file_stat& stat, timestamp read_at, duration granularity) {
  const auto newest = stat.mtime_ns > stat.ctime_ns ? stat.mtime_ns : stat.ctime_ns;
  return stat.kind != file_kind::absent && newest + granularity.count() >= to_unix_ns(read_at);
}

} // namespace troupe
