// What an asset waited for in a run before it was executed or found fresh, as the journal keeps it. Knows nothing of
// how it is measured: see core/run/wait_ledger.
#pragma once

#include "base/strong_id.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal {

/// Persisted: do not change the values.
enum class wait_kind : std::uint8_t {
  asset = 0,  ///< until all that it needs was there; `asset` is what was there last
  hold = 1,   ///< for an earlier run, `run`
  worker = 2, ///< for its share of the workers
  pool = 3,   ///< for room in the pool `pool`
};

/// One wait. Waits of less than a millisecond are not recorded.
struct recorded_wait {
  wait_kind what = wait_kind::asset;
  asset_id asset;
  run_number run;
  std::string pool;
  std::uint64_t ms = 0;
  friend bool operator==(const recorded_wait&, const recorded_wait&) = default;
};

[[nodiscard]] constexpr const char* to_string(wait_kind what) {
  switch (what) {
  case wait_kind::asset:
    return "asset";
  case wait_kind::hold:
    return "hold";
  case wait_kind::worker:
    return "worker";
  case wait_kind::pool:
    return "pool";
  }
  return "unknown";
}

} // namespace troupe_internal
