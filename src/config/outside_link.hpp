// Whether a link on the way to a file leads out of the folder that it is in. Knows nothing of what files hold.
#pragma once

#include <string>

namespace troupe_internal::config {

/// Follows the path as the system does, name by name, and looks at each name that is a link: whether what it leads to
/// in the end is in the folder that the link is in. Folders that the path itself names (..) are the user's own words.
/// Of an absolute path, links of the system's (in the root folder, or root's where this process is not root's) do not
/// count. False where something is missing.
[[nodiscard]] bool passes_outside_link(const std::string& file);

} // namespace troupe_internal::config
