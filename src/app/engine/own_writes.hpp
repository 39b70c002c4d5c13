// Whether what made an asset stale is of its own making: inputs that changed while its own command ran. Knows times of
// files, not what commands do.
#pragma once

#include "core/materialization.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Adds to each reason of an input that changed during the attempt which made the asset last that it did, and which
/// file of a folder it was. Returns a warning for people if there is one. `folder`: the pipeline's. Looks at the files
/// that the reasons name, and at all in a folder they name.
[[nodiscard]] std::optional<std::string> note_own_writes(const std::string& folder, std::string_view asset,
                                                         const materialization& last, std::vector<reason>& reasons);

} // namespace troupe
