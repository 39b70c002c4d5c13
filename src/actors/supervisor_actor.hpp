// One run's authority: it alone adds to the run's history. It owns the run's state and handles, and delegates all
// judgement to core/run/run_logic: inputs in, events to the journal, effects out. Knows nothing of freshness, processes
// or storage.
#pragma once

#include "actors/protocol.hpp"
#include "core/run/run_logic.hpp"
#include "ports/clock.hpp"
#include "ports/run_observer.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// How a run came to its end, for who waits for it.
struct run_end {
  bool durable = false; ///< run_finished is on disk
  std::string problem;  ///< else why not: the journal failed, or a bug was found
  bool internal = false;
};

/// What the supervisor works on; everything outlives it.
struct supervisor_setup {
  run_logic* logic = nullptr;
  decision first; ///< what run_logic::begin decided
  const pipeline* p = nullptr;
  asset_executor* work = nullptr; ///< for changes_made only
  clock* time = nullptr;
  duration ahead{}; ///< of the run's time over the monotonic clock: the wall clock's when the run began
  run_observer* observer = nullptr;
  std::function<std::vector<event>()> names_and_files; ///< events to append before any other: new names, files observed
  std::function<std::vector<event>()> closing;         ///< events to append with the run's end, the last of this writer
  std::function<std::string(asset_index, std::uint32_t)> log_of; ///< path of an attempt's log
  std::vector<digest> versions;                                  ///< by asset_index: data versions as of now
  std::vector<duration> expected;                                ///< by asset_index: past durations; 0: unknown
  /// For which run an asset waits that has all it needs, 0 if not for a run; then hold_over comes for it. nullopt: it
  /// may go on. Empty: all may.
  std::function<std::optional<run_number>(asset_index, bool before_execution)> held_by;
  std::function<void(const run_demand&)> demand_changed; ///< may be empty
  std::function<void(run_end)> on_end;                   ///< called once, by the supervisor
  std::uint64_t checkpoint_every = 0;                    ///< events between checkpoints of the run: keeps replay short
};

struct supervisor_state {
  std::shared_ptr<void> presence; ///< first, so that it is let go last
  supervisor_setup setup;
  std::vector<asset_handle> assets; ///< by asset_index
  executor_handle executor;
  journal_handle journal;
  bool ending = false; ///< the logic is done: the rest is recording it
  duration took{};     ///< of the attempt whose outcome is being taken: a failure's is in no event
  bool broken = false; ///< nothing more is recorded; children are ended, then the run ends
  run_end end;
  std::vector<event> last_events; ///< run_finished and what goes with it, until files are settled
  std::uint64_t since_checkpoint = 0;
};

/// Does nothing before begin_run, which brings the handles.
supervisor_handle::behavior_type supervisor_actor(supervisor_handle::stateful_pointer<supervisor_state> self,
                                                  std::shared_ptr<void> presence, supervisor_setup setup);

} // namespace troupe_internal
