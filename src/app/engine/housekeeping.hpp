// Keeps a state small: drops old runs and logs in the background of a run. Knows which, not why they were made.
#pragma once

#include "adapters/group_commit.hpp"
#include "base/digest.hpp"
#include "core/pipeline.hpp"
#include "ports/clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace troupe {

/// Retention while a run goes on: bounded steps on the log's thread, deletion of log folders on a thread of its own.
/// `folders` are the contents that folders have: old listings of others are deleted too. The run in progress is never
/// touched. What does not get done before the run ends is done by later ones.
class housekeeping {
public:
  housekeeping(group_commit& log, std::string state_folder, const pipeline& p, run_number current, const clock& time,
               const std::set<digest>& folders);
  ~housekeeping(); ///< stops after the step in progress
  housekeeping(const housekeeping&) = delete;
  housekeeping& operator=(const housekeeping&) = delete;

private:
  struct shared;
  std::shared_ptr<shared> shared_;
  std::thread cleaner_;
};

/// After a run that executed nothing: now and then a single step, so that a state of such runs alone stays small too.
void tidy_after_fresh_run(journal_store& store, const std::string& state_folder, const pipeline& p, run_number current);

/// Deletes a run's logs; false if there are none, or they cannot be deleted now (they are tried again as they grow
/// old).
bool delete_logs(const std::string& state_folder, run_number run);
/// Deletes the logs of runs, but `current`, whose folders were last written before `oldest`, until `enough`. How many
/// folders went.
std::uint64_t delete_old_logs(const std::string& state_folder, timestamp oldest, run_number current,
                              const std::function<bool()>& enough);

} // namespace troupe
