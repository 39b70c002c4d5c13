// Which files on disk match a glob. The meaning of patterns is core/pipeline/glob's; here is only where to look.
#pragma once

#include "adapters/files/look_bounds.hpp"
#include "base/result.hpp"
#include "ports/file_system.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The file system port's glob: files (links to files too) that match, sorted bytewise, spelled as the pattern spells
/// them. Only folders that can hold a match are read; literal components are looked up instead of listed. Links to
/// folders are entered, by `**` too unless the link leads back to a folder that it came through, or to one above that.
/// A pattern that ends in "/" finds folders instead (links to folders too); what lies in one that it found is not
/// searched. `at` is a descriptor of the folder `root` (absolute). An error where `bounds` has it
/// broken off.
[[nodiscard]] result<std::vector<std::string>> glob_files(int at, std::string_view root, std::string_view pattern,
                                                          const std::vector<std::string>& skip, glob_remarks* remarks,
                                                          const look_bounds& bounds);

} // namespace troupe_internal
