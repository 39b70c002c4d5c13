// Which files a watch is about, when one that changes has settled, and what has happened to it. Pure: paths, moments
// and looks are handed in. Knows no disk, no clock and no journal.
#pragma once

#include "base/time.hpp"
#include "core/model/trigger_event.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// The patterns of a watch over absolute paths. Any thread.
class watch_patterns {
public:
  /// `folder`: the pipeline's, absolute.
  watch_patterns(std::string_view folder, const watch_source& of);

  /// How the file is named in events, as its pattern is written: relative to the pipeline's folder, or absolute;
  /// nullopt if no pattern takes it, or its name is ignored.
  [[nodiscard]] std::optional<std::string> takes(std::string_view path) const;
  /// Whether a folder, which is or lies in one of the roots, can hold files that are taken.
  [[nodiscard]] bool enters(std::string_view folder) const;
  /// The folders that all files lie in, absolute. A path without a wildcard stands for a file, and for all in a folder.
  [[nodiscard]] const std::set<std::string, std::less<>>& roots() const { return roots_; }
  /// The absolute path of a file that is named so in events.
  [[nodiscard]] std::string absolute(std::string_view name) const;

private:
  struct pattern {
    std::string glob;  ///< absolute
    std::string root;  ///< absolute, as a path
    std::string shown; ///< the same as the pattern is written
  };
  void add(const std::string& glob, std::string root, std::string shown);

  std::string folder_;
  std::vector<pattern> patterns_;
  std::vector<std::string> ignore_;
  std::set<std::string, std::less<>> roots_;
};

/// What a change says about who still writes the file.
enum class change_sign : std::uint8_t {
  closed,     ///< nobody writes it any more, or it is gone
  written,    ///< somebody may still write it
  attributes, ///< nothing was written
};

/// Files that have changed and are to be looked at when they have settled:
///   closed                          no change for `settle`
///   else                            no change for `settle`, then two looks, `settle` apart, that find the same
///   max_settle after the first one  in any case
/// Moments are of a clock that only goes forward. One thread at a time.
class settling_files {
public:
  settling_files(duration settle, duration max_settle);

  void note(const std::string& path, change_sign sign, duration now);
  /// A look has found it changed: whoever writes it may not have ended. One that is settling already goes on with that.
  void found(const std::string& path, duration now);
  /// Looks at it again, whatever comes, but not before that moment.
  void look_again(const std::string& path, duration now, duration at);
  struct due_file {
    std::string path;
    bool unsettled = false; ///< it keeps changing, and it was time
    friend bool operator==(const due_file&, const due_file&) = default;
  };
  /// Takes out at most `most` of those whose time has come. `look` says what one is now.
  [[nodiscard]] std::vector<due_file> take_due(duration now, std::size_t most,
                                               const std::function<file_stat(const std::string& path)>& look);
  /// Takes out all of them, settled or not.
  [[nodiscard]] std::vector<std::string> take_all();
  /// When the next look is due; nullopt: nothing has changed.
  [[nodiscard]] std::optional<duration> next() const;
  [[nodiscard]] std::size_t size() const { return files_.size(); }

private:
  struct entry {
    duration first{0};
    duration due{0};
    bool closed = false;
    bool late = false; ///< it is due because max_settle is over
    std::optional<file_stat> seen;
  };
  void set_due(const std::string& path, entry& of, duration due);
  [[nodiscard]] duration quiet(const entry& of) const;

  duration settle_, max_settle_;
  std::map<std::string, entry> files_;
  std::set<std::pair<duration, std::string>> due_;
};

/// What a trigger took notice of, by path.
using watched_files = std::map<std::string, file_record, std::less<>>;

/// What has happened to files between the last notice and a look at some of them: sorted by path. What has the same
/// content has not changed. A file that appears while another of the same inode and content disappears has moved.
[[nodiscard]] std::vector<changed_file> file_changes(const watched_files& before, const std::vector<watched_file>& now);

} // namespace troupe_internal
