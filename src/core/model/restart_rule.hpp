// What becomes of runs that the last engine left open, when the next one that stays up opens their state.
#pragma once

#include <cstdint>

namespace troupe_internal {

enum class restart_rule : std::uint8_t {
  resume_or_rerun, ///< they are resumed; one whose definitions have changed ends, and a new run takes its place
  resume,          ///< one whose definitions have changed stays interrupted
  abandon,         ///< they end as cancelled
};

} // namespace troupe_internal
