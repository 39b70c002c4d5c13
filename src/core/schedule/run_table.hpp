// The live runs of a state among themselves: who waits for whom, and who may use what. Knows what each run says of
// itself; knows nothing of how a run does what it is told.
#pragma once

#include "core/schedule/budgets.hpp"
#include "core/schedule/holds.hpp"

#include <optional>
#include <vector>

namespace troupe_internal {

/// A live run, as the others deal with it. It outlives its time among them.
struct neighbour : held_view {
  [[nodiscard]] virtual run_number number() const = 0;
  [[nodiscard]] virtual cause_kind cause() const = 0;
  [[nodiscard]] virtual const capacity& size() const = 0; ///< what it may use at most
  /// Its newest; null: it has reported none.
  [[nodiscard]] virtual const run_demand* demand() const = 0;
  /// All of its assets are settled: it uses nothing any more, and hears no offers, though its end may not be on disk.
  [[nodiscard]] virtual bool finished() const = 0;
  virtual void offer(budget_offer what) = 0;
  /// Whether the record of the asset, or of something that it needs, is to be read anew before the asset goes on.
  [[nodiscard]] virtual bool is_touched(asset_id asset) const = 0;
  /// Nothing holds the asset any more: it goes on, once the records that are touched have been read anew. Must not
  /// come back here before it returns.
  virtual void let_go_on(asset_id asset) = 0;
  /// Calls `visit` with all assets that are not settled.
  virtual void visit_unsettled(const visitor& visit) const = 0;
};

/// What all runs of a state may use together, where somebody has said it.
struct shared_room {
  capacity sizes; ///< workers 0: as many as the run has that may use most; pools that are not named likewise
  share_weights weights;
  /// Whether a run that is alone may use less than it could.
  [[nodiscard]] bool bounds() const { return sizes.workers > 0 || !sizes.pools.empty(); }
};

/// One thread at a time.
class run_table {
public:
  /// Before any run.
  void bound_by(shared_room room);
  /// The run has started or was resumed: it is the latest now.
  void joined(neighbour& run);
  /// It is over, and nothing of it runs.
  void left(const neighbour& run);

  /// Asked when an asset has all that it needs in its run, and again before it is executed. nullopt: it may go on. Else
  /// the run that holds it, or 0: it goes on when its record has been read anew. Then let_go_on() follows, unless the
  /// run leaves.
  [[nodiscard]] std::optional<run_number> held_by(neighbour& run, asset_id asset, bool before_execution);
  /// The asset is settled in this run.
  void settled(run_number run, asset_id asset);
  /// Demands have changed: offers go out.
  void share_out();

  /// Whether settled() is of interest to anybody.
  [[nodiscard]] bool anyone_waits() const { return holds_.waiting() > 0; }
  [[nodiscard]] const std::vector<neighbour*>& all() const { return runs_; } ///< in the order of their beginning
  /// What an earlier run keeps for a bundle that has waited longest; for tests and observers.
  [[nodiscard]] std::optional<arbiter::kept_bundle> kept() const { return arbiter_.kept(); }

private:
  void ask_again(const std::vector<run_asset>& held);

  std::vector<neighbour*> runs_;
  hold_table holds_;
  arbiter arbiter_{capacity{}};
  std::optional<shared_room> room_;
};

} // namespace troupe_internal
