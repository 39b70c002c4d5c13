// Watches a run and says nothing: for runs that nobody watches. Knows nothing.
#pragma once

#include "ports/run_observer.hpp"

namespace troupe_internal {

class silent_observer final : public run_observer {
public:
  /// It has no state: all runs may have the same.
  static silent_observer& the_one() {
    static silent_observer one;
    return one;
  }
  void run_began(const run_outline&) override {}
  void attempt_began(asset_index, std::uint32_t, const std::vector<reason>&, duration) override {}
  void attempt_ended(asset_index, const attempt_end&) override {}
  void asset_settled(asset_index, asset_status, asset_index, std::string_view) override {}
  void run_stopping(stop_cause) override {}
  void warned(asset_index, const attempt_warning&) override {}
};

} // namespace troupe_internal
