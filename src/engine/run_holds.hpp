// Which assets of later runs wait for earlier ones. Knows nothing of actors or of how they are told.
#pragma once

#include "base/strong_id.hpp"

#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe_internal {

class live_run;

/// Runs are ordered by when they began here. An asset of a later run waits while an earlier one has not settled the
/// same asset, one that it reads, or one that reads it; so later waits for earlier only, and there is no circle. Used
/// where actors run alone.
class run_holds {
public:
  /// It comes after all that are here.
  void joins(live_run& run);
  /// It is over: nobody waits for it any more.
  void leaves(const live_run& run);
  /// Whether the asset may go on; if not, the run's let_go_on() is called when it may.
  [[nodiscard]] bool may_go_on(live_run& run, asset_index asset);
  /// These assets may have settled: whoever waits for one of them is asked again.
  void look_again(run_number run, asset_id asset);
  [[nodiscard]] bool anyone_waits() const { return !waiting_.empty(); }
  [[nodiscard]] const std::vector<live_run*>& runs() const { return runs_; }

private:
  using place = std::pair<run_number, asset_id>;
  struct held {
    live_run* run;
    asset_index asset;
  };
  [[nodiscard]] std::optional<place> blocker(const live_run& run, asset_index asset) const;

  std::vector<live_run*> runs_;        ///< in the order in which they joined
  std::multimap<place, held> waiting_; ///< by what it waits for
};

} // namespace troupe_internal
