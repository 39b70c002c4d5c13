// One run as actors: what it is wired from, its beginning, and its end. Knows nothing of what runs.
#pragma once

#include "core/run/run_logic.hpp"
#include "ports/asset_executor.hpp"
#include "ports/clock.hpp"
#include "ports/event_log.hpp"
#include "ports/run_observer.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace caf {
class actor_system;
}

namespace troupe_internal {

class actor_room;

/// All that one run is wired from; everything referred to outlives its actors.
struct run_setup {
  run_logic* logic = nullptr;
  decision first; ///< what run_logic::begin decided
  const pipeline* p = nullptr;
  const asset_graph* graph = nullptr;
  asset_executor* work = nullptr;
  event_log* log = nullptr;
  /// Calls back, once and on any thread, when all that the log was given so far is on disk, or with why it never will
  /// be. Nothing is started before: whoever opens the state after a crash looks for what was left running only if it
  /// knows that somebody was here. Empty: the log is asked.
  std::function<void(std::function<void(result<std::uint64_t>)>)> when_on_disk;
  clock* time = nullptr;
  run_observer* observer = nullptr;
  bool strict = false;                                 ///< the run's durability
  std::function<std::vector<event>()> names_and_files; ///< events to append before any other: new names, files observed
  std::function<std::vector<event>()> closing;         ///< events to append with the run's end
  std::function<std::string(asset_index, std::uint32_t)> log_of;
  std::vector<digest> versions;
  std::vector<duration> expected;
  std::uint64_t checkpoint_every = 0;
  /// Asked, where actors run, for each asset that has all it needs, and again before it is executed: for which run it
  /// waits, 0 if for something else; then let_go_on() is called for it later. nullopt: it may go on. Empty: all may.
  std::function<std::optional<run_number>(asset_index, bool before_execution)> held_by;
  /// Told, where actors run, what the run uses and wants, while its budget is limited; and, limited or not, when all of
  /// its assets are settled: nothing.
  std::function<void(const run_demand&)> demand_changed;
};

/// How the run ended: durable, or the problem why not.
struct run_outcome {
  bool durable = false;
  std::string problem;
  bool internal = false;
};

/// begin() once; the others from any thread. It is destroyed before begin(), or after `gone` was called.
class actor_run {
public:
  explicit actor_run(run_setup setup);
  ~actor_run();
  actor_run(const actor_run&) = delete;
  actor_run& operator=(const actor_run&) = delete;

  /// Spawns all actors and lets the run begin. `gone` is called once, when the run has ended and none of its actors is
  /// left; on the thread that has its turn in the room's loop, so it must not block.
  void begin(actor_room& room, std::function<void(run_outcome)> gone);
  /// The same where the caller has an actor system of his own, which outlives the run's actors.
  void begin(caf::actor_system& system, std::function<void(run_outcome)> gone);
  /// Asks the run to stop; may be repeated, more urgently. Kept for the run if it has not begun, ignored after it.
  void stop(stop_cause cause, bool at_once);
  /// What held_by() held back may go on. `versions`: the data version that an asset has by now, for those whose record
  /// another run has changed since this one was planned. `blocked`: see asset_released.
  void let_go_on(asset_index asset, std::vector<std::pair<asset_index, digest>> versions,
                 std::optional<blocked_outside> blocked = {});
  /// What the run may use from now on; see budget_changed.
  void offer(std::uint64_t number, std::optional<capacity> budget);
  /// The run cannot go on, since the journal cannot be read.
  void fail(std::string message);

private:
  struct inside;
  std::shared_ptr<inside> inside_;
};

} // namespace troupe_internal
