// Warnings that the pipeline file silences for an asset. Knows nothing of who finds warnings or prints them.
#pragma once

#include "core/model/event.hpp"
#include "core/pipeline/pipeline.hpp"

#include <algorithm>
#include <vector>

namespace troupe_internal {

/// Drops the warnings that the asset's settings silence ("ignore_warnings").
inline void drop_ignored(const asset_settings& settings, std::vector<attempt_warning>& warnings) {
  if (!settings.ignore_warnings.empty())
    std::erase_if(warnings, [&](const auto& warning) { return settings.ignores(warning.code); });
}

} // namespace troupe_internal
