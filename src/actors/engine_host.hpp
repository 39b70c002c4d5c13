// Builds the actor system for one run, wires its actors, waits for the end, and takes everything down in order. Knows
// nothing of what runs.
#pragma once

#include "core/run/run_logic.hpp"
#include "ports/asset_executor.hpp"
#include "ports/clock.hpp"
#include "ports/event_log.hpp"
#include "ports/run_observer.hpp"
#include "ports/work_loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe_internal {

/// All that one run is wired from; everything referred to outlives the host. No CAF type shows here.
struct host_setup {
  run_logic* logic = nullptr;
  decision first; ///< what run_logic::begin decided
  const pipeline* p = nullptr;
  const asset_graph* graph = nullptr;
  work_loop* loop = nullptr; ///< where actors run
  asset_executor* work = nullptr;
  event_log* log = nullptr;
  /// Calls back, once and on any thread, when all that the log was given so far is on disk, or with why it never will
  /// be. Nothing is started before: whoever opens the state after a crash looks for what was left running only if it
  /// knows that somebody was here. Empty: the log is asked.
  std::function<void(std::function<void(result<std::uint64_t>)>)> when_on_disk;
  clock* time = nullptr;
  run_observer* observer = nullptr;
  bool strict = false; ///< the run's durability
  std::function<std::vector<event>()> names_and_files;
  std::function<std::vector<event>()> closing; ///< events to append with the run's end, the last of this writer
  std::function<std::string(asset_index, std::uint32_t)> log_of;
  std::vector<digest> versions;
  std::vector<duration> expected;
  std::uint64_t checkpoint_every = 0;
};

/// How the run ended: durable, or the problem why not.
struct host_result {
  bool durable = false;
  std::string problem;
  bool internal = false;
};

/// One run in one actor system. run() once, from one thread; stop() from any.
class engine_host {
public:
  explicit engine_host(host_setup setup);
  ~engine_host();
  engine_host(const engine_host&) = delete;
  engine_host& operator=(const engine_host&) = delete;

  /// Blocks until the run has ended and all actors are gone.
  [[nodiscard]] host_result run();
  /// Asks the run to stop; may be repeated, more urgently. Kept for the run if it has not begun, ignored after it.
  void stop(stop_cause cause, bool at_once);

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace troupe_internal
