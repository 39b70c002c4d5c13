// The commands that assets would be executed with now, for people. Knows nothing of how they are printed.
#pragma once

#include "base/result.hpp"
#include "core/model/shown_command.hpp"
#include "engine/project.hpp"

#include <map>
#include <vector>

namespace troupe_internal {

/// Of each of the assets that has one: with the inputs that are there now. Secret params are written as a mark,
/// variables from elsewhere by their source, and {{ run.id }} as RUN_ID. Writes nothing.
[[nodiscard]] result<std::map<asset_index, shown_command>> shown_commands(const project& on,
                                                                          const std::vector<asset_index>& assets);

} // namespace troupe_internal
