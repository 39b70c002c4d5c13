// Everything beneath one folder, in one defined order. Knows nothing of what is done with it.
#pragma once

#include "adapters/files/look_bounds.hpp"
#include "base/result.hpp"
#include "core/pipeline/exclusion.hpp"

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// One member. `path` is relative to the walk's folder, `full` to `at`. Links are not followed: `info` is their own.
struct folder_member {
  std::string_view path;
  std::string_view full;
  const struct stat& info;
};

/// Visits all members beneath `folder` (relative to the descriptor `at`, or absolute): folders before what they hold,
/// the members of one folder sorted bytewise. Links inside are visited, never followed. Depth costs heap, not stack. A
/// member that disappears between being listed and being looked at is left out, and so is the state's folder. Stops at
/// the first error, which names the path; also at the visitor's, and where `bounds` has it broken off. What the
/// filter leaves out is not looked at, nor is what lies in it; it knows the members by `place`, the folder's own place
/// among the members of another. Any thread.
[[nodiscard]] result<void> walk_folder(int at, std::string_view folder,
                                       const std::function<result<void>(const folder_member&)>& visit,
                                       const folder_filter& filter = {}, const look_bounds& bounds = {},
                                       std::string_view place = {});

/// The names in one folder, sorted bytewise, without "." and "..". `folder` is empty for `at` itself.
[[nodiscard]] result<std::vector<std::string>> list_folder(int at, std::string_view folder);

} // namespace troupe_internal
