// What the disk says of the folder a command runs in. Knows nothing of commands.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe_internal {

/// How many of the last components of `cwd` (relative to `folder`, or absolute) are no links, that is, how far `..`
/// leads from there to the folder that the text names. What does not exist is no link.
[[nodiscard]] std::uint32_t steps_up_from(std::string_view folder, std::string_view cwd);

} // namespace troupe_internal
