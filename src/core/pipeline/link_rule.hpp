// How links in a counted folder count. Knows nothing of disks.
#pragma once

#include <cstdint>

namespace troupe_internal {

enum class link_rule : std::uint8_t {
  content, ///< by what they lead to
  text,    ///< by their text
};

} // namespace troupe_internal
