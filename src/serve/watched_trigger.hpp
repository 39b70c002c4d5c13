// What a supervisor keeps of one `watch` trigger: the files as it last took notice of them, those that are settling,
// and the folders that it needs. Knows the disk; knows no thread, no journal and no other trigger.
#pragma once

#include "adapters/files/folder_watch.hpp"
#include "core/trigger/watch_logic.hpp"
#include "ports/file_system.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::serve {

/// One thread at a time.
class watched_trigger {
public:
  /// `folder`: the pipeline's, absolute. `events` and `files` (whose root is "/") outlive it.
  watched_trigger(std::string name, std::string folder, const watch_source& what, folder_events& events,
                  const file_system& files);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const watch_source& source() const { return what_; }
  /// The folders whose events it wants.
  [[nodiscard]] const std::set<std::string, std::less<>>& folders() const { return folders_; }
  /// Why it polls; empty: the system reports changes.
  [[nodiscard]] const std::string& degraded() const { return degraded_; }

  /// Looks at all folders, and wants those reported that there are. What differs from `known()` settles from now on.
  void look_everywhere(duration now);
  /// Something happened in one of its folders.
  void heed(const folder_event& event, duration now);
  /// Whether its folders are other ones than when it looked at them: another file system is there now.
  [[nodiscard]] bool folders_changed() const;

  /// As the journal has them.
  [[nodiscard]] watched_files& known() { return known_; }
  [[nodiscard]] settling_files& settling() { return settling_; }
  /// Everything as it is now, as far as it differs from what is known: at the first sight of a trigger.
  [[nodiscard]] std::vector<watched_file> differences(duration now);
  /// What the file is now; nullopt, and `problem` says why, if it cannot be read.
  [[nodiscard]] std::optional<watched_file> read(const std::string& file, std::string& problem) const;
  /// What its stat is now.
  [[nodiscard]] file_stat stat(const std::string& file) const;
  [[nodiscard]] std::string absolute(const std::string& file) const { return patterns_.absolute(file); }
  /// They are known from now on.
  void accept(const std::vector<watched_file>& files);

private:
  void walk(const std::string& folder, duration now, std::set<std::string, std::less<>>* found);
  void want(const std::string& folder, folder_interest what);
  void drop(std::string_view folder, bool with_files, duration now);
  void want_root(const std::string& root);
  void degrade(const std::string& why);

  std::string name_;
  watch_source what_;
  watch_patterns patterns_;
  folder_events& events_;
  const file_system& files_;
  watched_files known_;
  settling_files settling_;
  std::set<std::string, std::less<>> folders_;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>, std::less<>> roots_; ///< device and inode; 0: none
  std::string degraded_;
};

} // namespace troupe_internal::serve
