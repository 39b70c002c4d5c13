// Whether this process leaves a core when it dies: its memory may hold secrets. Knows no secret.
#pragma once

#include <sys/resource.h>

namespace troupe_internal {

/// From now on this process leaves no core (the soft limit is 0). More than once is as once. Any thread.
void forbid_core_dumps();
/// The limit that this process was started with, for what it starts; null: forbid_core_dumps() has changed nothing.
/// Any thread.
[[nodiscard]] const rlimit* core_limit_before();

} // namespace troupe_internal
