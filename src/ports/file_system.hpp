// The port to files: stat, content, globs, folders. Knows nothing of assets or of what is recorded.
#pragma once

#include "base/digest.hpp"
#include "base/result.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/link_rule.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The members of a folder, in the bytes that its content is the digest of (see docs/staleness.md).
struct folder_listing {
  digest content;
  std::string bytes;
};
inline constexpr std::size_t max_listed_members = 10'000;

/// So many members reached through links outside of the root are worth a word.
inline constexpr std::uint64_t many_members_elsewhere = 100'000;

/// What a glob found beside its matches.
struct glob_remarks {
  std::vector<std::string> left_out; ///< folders that a pattern without "/" matches and is not led into, sorted
  /// Links that match or that it was led through; and those that lead nowhere now, and could do either.
  std::vector<std::string> links;
};

/// Paths are absolute or relative to the root handed to the implementation (the pipeline's folder). stat(), glance()
/// and read() also take the name of a folder without some of its members (core/pipeline/exclusion). Any thread; may
/// block.
class file_system {
public:
  virtual ~file_system() = default;

  /// Links are followed. A folder's stat stands for all beneath it and, under link_rule::content, for all that its
  /// links lead to: names and stats are folded into size (bytes in all), mtime_ns and ctime_ns (newest of all) and
  /// inode (a digest of names, kinds, inodes, sizes and times), so that equal means unchanged. A folder with links has
  /// another stat by the other rule. A missing file is kind absent, not an error; permission problems are errors. Where
  /// the stat says nothing of the content (/proc, /sys), ctime_ns is never_settled.
  [[nodiscard]] virtual result<file_stat> stat(std::string_view path, link_rule links = link_rule::content) const = 0;
  /// stat(), but a folder's members are not looked at: of a folder only the kind is told.
  [[nodiscard]] virtual result<file_stat> glance(std::string_view path) const = 0;
  /// stat and the digest of the content as read: a file's bytes; for a folder sorted relative names, kinds, executable
  /// bits, contents, and links by the rule; absent: the all-zero digest; other kinds (FIFO, socket, device) are an
  /// error that says so. What changes while it is read is read again, where that is cheap, at most a few times. What
  /// only grows, or keeps changing, counts as it was read, with the stat it had before: the next look finds another,
  /// and reads it again. `listings` gets what a folder, and each folder that its links lead to, holds, where that is
  /// not too much.
  [[nodiscard]] virtual result<file_record> read(std::string_view path, link_rule links = link_rule::content,
                                                 std::vector<folder_listing>* listings = nullptr) const = 0;
  /// Whether members_elsewhere() would say something of any folder.
  [[nodiscard]] virtual bool many_are_elsewhere() const { return false; }
  /// How many members of the folder lie outside of the root and are reached through links, as the last look at it
  /// found; 0 if they are fewer than many_members_elsewhere.
  [[nodiscard]] virtual std::uint64_t members_elsewhere(std::string_view) const { return 0; }
  /// Files (links followed; no folders) that match, sorted bytewise, in the form of the pattern (relative stays
  /// relative). Folders named in `skip` (normalised relative paths or absolute) are not entered and not matched.
  /// A pattern that ends in "/" matches folders, and no files; none that lies in another match. `remarks` may be
  /// null.
  [[nodiscard]] virtual result<std::vector<std::string>>
  glob(std::string_view pattern, const std::vector<std::string>& skip, glob_remarks* remarks) const = 0;
  [[nodiscard]] result<std::vector<std::string>> glob(std::string_view pattern,
                                                      const std::vector<std::string>& skip) const {
    return glob(pattern, skip, nullptr);
  }
  /// The folder that a path leads to, links followed: its identity as core/pipeline/path_identities has it. What does
  /// not exist is taken by its text. Never fails: where nothing can be found out, the path is handed back.
  [[nodiscard]] virtual std::string real_folder(std::string_view path) const { return std::string(path); }
  /// mkdir -p of the parent folder.
  [[nodiscard]] virtual result<void> make_parent(std::string_view path) const = 0;
  /// Whether the looks of whoever asked for them are no longer wanted: those that take long fail with the code stopped.
  [[nodiscard]] virtual bool broken_off() const { return false; }
  /// The whole file, at most `limit` bytes; not_found if absent; invalid_input if larger.
  [[nodiscard]] virtual result<std::string> read_text(std::string_view path, std::uint64_t limit) const = 0;
  /// Removes a file, a link or a folder with all in it. Follows no link below the folder that `path` lies in, and
  /// removes nothing where a mount point is in the way (io). Nothing there is no error.
  [[nodiscard]] virtual result<void> remove(std::string_view path) const = 0;
};

/// The ctime_ns of what changes without its stat showing it: the far future, so that it is racy at all times.
inline constexpr std::int64_t never_settled = 4'000'000'000'000'000'000;

/// How close to its last change a file may be read and yet be changed once more without its times showing it. Coarse
/// clocks of file systems tick every 1 to 10 ms; a file whose times have no fraction of a second comes from one that
/// counts in seconds.
[[nodiscard]] constexpr duration timestamp_granularity(const file_stat& stat) {
  constexpr std::int64_t second = 1'000'000'000;
  return stat.mtime_ns % second == 0 && stat.ctime_ns % second == 0 ? duration(std::chrono::seconds(2))
                                                                    : duration(std::chrono::milliseconds(20));
}

/// Whether a file with this stat, read at `read_at`, could have been changed afterwards without its stat showing it:
/// its newest time lies within `granularity` of the reading (or after it). Racy records are read again next time.
[[nodiscard]] constexpr bool is_racy(const file_stat& stat, timestamp read_at, duration granularity) {
  const auto newest = stat.mtime_ns > stat.ctime_ns ? stat.mtime_ns : stat.ctime_ns;
  return stat.kind != file_kind::absent && newest + granularity.count() >= to_unix_ns(read_at);
}

} // namespace troupe_internal
