// What a run's events mean for other runs: which of its assets are settled, and whose records change. Knows nothing of
// who the other runs are.
#pragma once

#include "core/run/run_logic.hpp"
#include "core/run/run_state.hpp"

#include <cstdint>
#include <vector>

namespace troupe_internal {

/// Whether assets of a run are settled in the order of the journal, so that whoever waits until all that was appended
/// is on disk reads what they have come to. One thread at a time.
class settled_assets {
public:
  explicit settled_assets(const run_state& state);
  /// The events were appended: which assets they settle.
  [[nodiscard]] std::vector<asset_id> take(const run_logic& logic, const std::vector<event>& events);
  [[nodiscard]] bool at(std::uint32_t position) const { return settled_[position]; }

private:
  std::vector<bool> settled_; ///< by position in the run
};

/// Whose records the events change, in order; an asset may come twice.
[[nodiscard]] std::vector<asset_id> records_changed_by(const std::vector<event>& events);

} // namespace troupe_internal
