// The folders of runs' logs in a state, as their writer has them: made, written into, deleted. Only what Troupe made is
// deleted. Knows nothing of assets, nor which runs are kept.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace troupe_internal {

/// The folder of a run's logs, STATE/logs/RUN, to read. not_found, state_unusable.
[[nodiscard]] result<kept_folder> open_run_logs(const state_dir& dir, run_number run);

/// For the holder of the state's lock. Any thread.
class state_logs {
public:
  explicit state_logs(state_dir::handle dir) : dir_(std::move(dir)) {}

  /// Refuses a `logs` that cannot be used. One without Troupe's mark, of before there were marks, gets it: only those
  /// of its folders that have a number out of `runs()` are Troupe's from then on, and the mark names the others.
  [[nodiscard]] result<void> claim(const std::function<result<std::set<std::uint32_t>>()>& runs);
  /// A new file in the run's folder, in the place of what had the name; folders are made. io, with the file's path.
  [[nodiscard]] result<unique_fd> make(run_number run, const std::string& name);
  /// Deletes a run's logs; false if there are none, if they are not Troupe's, or if they cannot be deleted now.
  bool remove(run_number run);
  /// Deletes those of runs, but `current`, whose folders were last written before `oldest`, until `enough`. How many
  /// folders went.
  std::uint64_t remove_old(timestamp oldest, run_number current, const std::function<bool()>& enough);

private:
  struct marked_folder {
    std::shared_ptr<const kept_folder> folder;
    std::set<std::uint32_t> others; ///< numbers of folders that are not Troupe's
  };
  /// Null: there is none that carries the mark.
  [[nodiscard]] std::shared_ptr<const marked_folder> marked();
  [[nodiscard]] result<std::shared_ptr<const kept_folder>> run_folder(run_number run);

  state_dir::handle dir_;
  std::mutex mutex_;
  std::shared_ptr<const marked_folder> marked_;
  run_number run_;                                ///< of run_folder_
  std::shared_ptr<const kept_folder> run_folder_; ///< where a log was made last
};

} // namespace troupe_internal
