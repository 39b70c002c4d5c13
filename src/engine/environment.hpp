// The environment of this process, as commands inherit it and as assets look variables up: as it is, or as it was when
// somebody asked for a copy. Knows nothing of assets.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// From now on it is what it is now: a program that changes its environment while others read it is not disturbed, and
/// a run does not see half of a change. Again: a new copy, for what reads it later. Any thread, while nobody changes
/// it.
void copy_environment();
/// As "NAME=value".
[[nodiscard]] std::vector<std::string> own_environment();
[[nodiscard]] std::optional<std::string> environment_value(const std::string& name);

} // namespace troupe_internal
