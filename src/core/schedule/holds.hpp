// Holds: which asset of a later run waits for which asset of an earlier live run, because both read or write the same
// files. Knows what the live runs say of their assets; knows nothing of files, and does not decide when an asset is
// ready in its own run.
//
// Live runs are ordered by their last run_started or run_resumed. An asset of a later run is held while an earlier run
// has not settled
//   (a) the same asset: both would make it;
//   (b) an asset that it reads, even if that one is fresh in the later run, or outside of it: it would read what is
//       about to change;
//   (c) before it is executed, an asset that reads it: the earlier run would read what the later one makes.
// Later runs wait for earlier ones only, so there is no circle. A run that waits holds no worker and no pool.
//
// How it is used: ask blocker() when an asset claims to be ready, and again when it is found stale (before_execution).
// If it answers, the asset is held (asset_claimed::held, examined_stale::held of run_logic) until settled() or left()
// hands it back: then ask again, and feed asset_released when nothing blocks it any more. An answer of "nothing" stays
// true, since earlier runs only settle more assets and no run ever becomes earlier.
#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe_internal {

/// What a live run says of its assets. It outlives its time in the table.
struct held_view {
  virtual ~held_view() = default;
  /// Whether the asset is in the run and not settled. Once false, it stays false until the run leaves.
  [[nodiscard]] virtual bool unsettled(asset_id asset) const = 0;
  using visitor = std::function<bool(asset_id)>;
  /// Calls `visit` with the assets that this one reads, by the run's graph, in the run or not, until it returns false.
  virtual void visit_reads(asset_id asset, const visitor& visit) const = 0;
  /// Likewise with the assets that read this one.
  virtual void visit_readers(asset_id asset, const visitor& visit) const = 0;
};

/// An asset in a live run.
struct run_asset {
  run_number run;
  asset_id asset;
  friend auto operator<=>(const run_asset&, const run_asset&) = default;
};

/// Copies nothing of a run: with a single run it costs nothing. One thread at a time.
class hold_table {
public:
  /// The run has started or was resumed: it is the latest now. A run that is resumed must have left before.
  void joined(run_number run, const held_view& view);

  /// What the asset of the run waits for now, if anything; and notes that it waits. Cost: what it reads and what reads
  /// it, for each earlier run.
  [[nodiscard]] std::optional<run_asset> blocker(run_number run, asset_id asset, bool before_execution);

  /// The asset is settled in this run (its view says so already): the assets that waited for it, to be asked for again,
  /// in the order of their runs, then of asking.
  [[nodiscard]] std::vector<run_asset> settled(run_number run, asset_id asset);

  /// The run is over, or its supervisor is down. Likewise, all that waited for assets of this run. What this run itself
  /// waits for is forgotten.
  [[nodiscard]] std::vector<run_asset> left(run_number run);

  [[nodiscard]] std::size_t runs() const { return runs_.size(); }
  /// How many assets wait, for tests and observers.
  [[nodiscard]] std::size_t waiting() const;

private:
  struct live {
    run_number run;
    const held_view* view;
  };
  [[nodiscard]] std::vector<live>::const_iterator find(run_number run) const;
  [[nodiscard]] std::vector<run_asset> in_order(std::vector<run_asset> all) const;

  std::vector<live> runs_;                            // the earliest first
  std::map<run_asset, std::vector<run_asset>> waits_; // by what is waited for
};

} // namespace troupe_internal
