// The files that make assets stale when they change, and waiting for such a change: what `run --watch` does between
// its runs. Knows folders and names; nothing of runs.
#pragma once

#include "adapters/files/folder_watch.hpp"
#include "engine/project.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// Absolute paths.
struct watched_inputs {
  std::set<std::string, std::less<>> trees;   ///< folders with all in them
  std::set<std::string, std::less<>> folders; ///< whose files the pipeline may read values from
  std::set<std::string, std::less<>> files;
};

/// What has happened, as absolute paths.
struct changed_inputs {
  std::vector<std::string> files; ///< inputs, or folders on the way to them; sorted
  bool beside = false;            ///< another file in one of the folders: who knows whether it is read
  [[nodiscard]] bool any() const { return beside || !files.empty(); }
};

/// What the selected assets (none: all) and all they need are made from: literal inputs, the folders that globs begin
/// in, what their commands reported, and all files in the pipeline's own folder, which it may read values from. Outputs
/// of assets are not among them. `only`: the selected alone.
[[nodiscard]] result<watched_inputs> inputs_to_watch(const project& on, const std::vector<std::string>& selection,
                                                     bool only);

/// One thread.
class input_watch {
public:
  /// io where the system has no instance left.
  [[nodiscard]] static result<std::unique_ptr<input_watch>> open();

  /// From now on these. `own` says of an absolute path that changes of it do not count. Returns what cannot be watched,
  /// and why; one line each.
  [[nodiscard]] std::vector<std::string> set(watched_inputs inputs, std::function<bool(const std::string&)> own);
  /// What has changed since the last call, sorted; does not wait.
  [[nodiscard]] changed_inputs take();
  /// Waits for a change, and then until nothing has changed for a moment. None: a stop was asked for.
  [[nodiscard]] changed_inputs wait(const stop_request& stop);
  [[nodiscard]] std::size_t folders() const { return events_->watches(); }

private:
  explicit input_watch(std::unique_ptr<folder_events> events) : events_(std::move(events)) {}
  void watch_tree(const std::string& folder);
  void watch_folder(const std::string& folder, folder_interest wanted);
  /// Of a folder that is not there, the nearest one above that is, where it may appear.
  void watch_for(const std::string& folder);
  void heed(const folder_event& event, changed_inputs& changed);
  /// Whether a file in the folder counts.
  [[nodiscard]] bool holds_inputs(const std::string& folder) const;
  [[nodiscard]] bool counts(const std::string& path) const;

  std::unique_ptr<folder_events> events_;
  watched_inputs inputs_;
  std::set<std::string, std::less<>> awaited_; ///< paths that are not there, and lead to what is wanted
  std::function<bool(const std::string&)> own_;
  std::set<std::string> watched_, problems_;
};

} // namespace troupe_internal::cli
