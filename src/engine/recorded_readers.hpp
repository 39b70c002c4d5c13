// Inputs that commands have reported: by asset, and by file. Knows records; nothing of what is declared.
#pragma once

#include "base/result.hpp"
#include "engine/project.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// The assets whose last materialization reported the file, which is named as the pipeline does, as a discovered input;
/// in order of index. None without a state. state_unusable for a damaged journal.
[[nodiscard]] result<std::vector<asset_index>> recorded_readers(const project& on, const std::string& file);

/// The inputs that the last materializations of these assets reported, as the pipeline names them; sorted.
[[nodiscard]] result<std::vector<std::string>> recorded_inputs(const project& on,
                                                               const std::vector<asset_index>& assets);

} // namespace troupe_internal
