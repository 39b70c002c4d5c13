// The codes of all warnings, and warnings about assets. Knows nothing of who finds them or prints them.
#pragma once

#include "core/event.hpp"
#include "core/pipeline.hpp"
#include "core/warning_code.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {

[[nodiscard]] inline attempt_warning make_warning(warning_code code, std::string text) {
  return {std::string(code.word), std::move(text)};
}

/// A warning about an asset, found before or during a run.
struct asset_warning {
  asset_index asset;
  attempt_warning what;
  friend bool operator==(const asset_warning&, const asset_warning&) = default;
};

/// Drops the warnings that the asset's settings silence ("ignore_warnings").
inline void drop_ignored(const asset_settings& settings, std::vector<attempt_warning>& warnings) {
  if (!settings.ignore_warnings.empty())
    std::erase_if(warnings, [&](const auto& warning) { return settings.ignores(warning.code); });
}

} // namespace troupe
