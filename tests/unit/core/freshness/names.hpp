// Names for ids in tests: asset 3 is "asset-3", path 4 is "path-4".
#pragma once

#include "core/freshness/freshness.hpp"

#include <deque>
#include <string>

namespace troupe_internal::test {

class numbered_names final : public name_source {
public:
  [[nodiscard]] std::string_view asset_name(asset_id id) const override {
    return kept_.emplace_back("asset-" + std::to_string(id.value));
  }
  [[nodiscard]] std::string_view path_text(path_id id) const override {
    return kept_.emplace_back("path-" + std::to_string(id.value));
  }

private:
  mutable std::deque<std::string> kept_;
};

} // namespace troupe_internal::test
