// How many CPUs the control groups of this process let it use (docker --cpus, systemd CPUQuota). Knows cgroups v1 and
// v2 as files; knows nothing of CPU sets, which the scheduler's affinity mask shows.
#pragma once

#include <optional>
#include <string>

namespace troupe_internal {

/// The smallest quota of the process's own cgroup and of those above it, in whole CPUs, rounded up, at least 1; nullopt
/// if there is none, or none can be read. `root` stands before every path read ("" for the real files):
/// /proc/self/cgroup, /proc/self/mountinfo, and the cgroup file systems that they name.
[[nodiscard]] std::optional<unsigned> cpu_quota(const std::string& root);

} // namespace troupe_internal
