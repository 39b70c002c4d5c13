// How long each asset of a run waits, and for what: a clock for each wait, driven by run_logic. Knows no status and
// decides nothing; time comes with every call.
//
// An asset first waits for what it needs, from the beginning of the run; then, while another run holds it, for that
// run; then, queued, until it is given a worker. Of the time in the queue, those spans in which a pool had no room for
// it count for that pool. They are measured for all assets that need the same pools at once, so that a long queue costs
// nothing while it waits.
#pragma once

#include "base/time.hpp"
#include "core/model/wait.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// The pools an asset needs, and how many slots of each; sorted by name.
using pool_need = std::vector<std::pair<std::string, std::uint32_t>>;

/// Assets are known by their position in the run. One thread at a time.
class wait_ledger {
public:
  explicit wait_ledger(std::size_t assets) : entries_(assets) {}

  /// The run, or this segment of it, begins.
  void begin(timestamp now) { began_ = now; }
  /// All that the asset needs is there; `last` was there last.
  void has_all(std::uint32_t position, asset_id last, timestamp now);
  /// It waits for another run; 0: for something else that is not recorded.
  void held(std::uint32_t position, run_number by, timestamp now);
  void released(std::uint32_t position, timestamp now);
  /// It waits for a worker and its pools.
  void queued(std::uint32_t position, const pool_need& need, timestamp now);
  /// It is examined, though it has no worker yet.
  void examined_ahead(std::uint32_t position, timestamp now);
  /// It has a worker and its pools.
  void admitted(std::uint32_t position, timestamp now);
  /// It was found fresh before it had a worker: it waited for its examination only.
  void needed_no_worker(std::uint32_t position);
  /// What it has waited for since the last call, in the order in which it waited.
  [[nodiscard]] std::vector<recorded_wait> take(std::uint32_t position);

  /// To be called at the end of each decision. `full` says which pool of a need (by its place in it) has no room.
  void note_pools(timestamp now, const std::function<std::optional<std::size_t>(const pool_need&)>& full);

private:
  /// For how long each pool of a need had no room for it.
  struct pool_clock {
    std::vector<duration> full;
    std::optional<std::size_t> full_now;
    timestamp since;
    void advance(timestamp now);
  };
  using clock_place = std::map<pool_need, pool_clock>::iterator;
  /// The part of an entry that few assets have.
  struct pool_waits {
    clock_place clock;
    std::vector<duration> at_first; ///< what the clock showed when the asset was queued
    std::vector<duration> waited;   ///< parallel to the need
  };
  enum class standing : std::uint8_t { elsewhere, held, queued };
  struct entry {
    timestamp since; ///< in this standing
    duration for_upstream{}, for_hold{}, for_worker{};
    timestamp examined_at;
    asset_id last_upstream;
    run_number holder;
    std::unique_ptr<pool_waits> pools;
    standing now = standing::elsewhere;
    bool examined = false;
  };
  void leave_queue(entry& e, timestamp now);

  std::vector<entry> entries_; // by position
  std::map<pool_need, pool_clock> pools_;
  timestamp began_;
};

} // namespace troupe_internal
