// Why a run was asked for. Knows nothing of what follows from it: see budgets and run_queue.
#pragma once

#include <cstdint>

namespace troupe_internal {

enum class run_cause : std::uint8_t {
  user,     ///< a person, by the command line or the dashboard
  program,  ///< a program, by the library or the API
  trigger,  ///< a schedule, a file, an event
  backfill, ///< many past intervals of a trigger
};

} // namespace troupe_internal
