// The codes of all warnings, and warnings about assets. Knows nothing of who finds them or prints them.
#pragma once

#include "core/model/event.hpp"
#include "core/model/warning_code.hpp"

#include <string>
#include <utility>

namespace troupe_internal {

[[nodiscard]] inline attempt_warning make_warning(warning_code code, std::string text) {
  return {std::string(code.word), std::move(text)};
}

/// A warning about an asset, found before or during a run.
struct asset_warning {
  asset_index asset;
  attempt_warning what;
  friend bool operator==(const asset_warning&, const asset_warning&) = default;
};

} // namespace troupe_internal
