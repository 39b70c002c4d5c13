// A plan of selected assets alone, without what they need. Knows nothing of what it is for.
#pragma once

#include "engine/planning.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe_internal {

/// With the records of all selected assets (none: all). `snapshot` null: no state yet; `time` outlives the plan.
[[nodiscard]] result<std::unique_ptr<planning>> plan_selected(const project& on,
                                                              const std::vector<std::string>& selection,
                                                              const journal_snapshot* snapshot, const clock& time);

} // namespace troupe_internal
