// For tests of programs: the wall clock of this process, set ahead. Knows nothing of who reads it.
#pragma once

#include "base/time.hpp"

namespace troupe_internal {

/// Every system_clock of the process shows so much more from now on, beside what was added before. Any thread.
void shift_clocks(duration by);

} // namespace troupe_internal
