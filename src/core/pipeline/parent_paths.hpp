// The folders above a path, from its text alone. Knows no disk.
#pragma once

#include <string_view>

namespace troupe_internal {

/// The folder a normalised path lies in: "a" of "a/b", "/" of "/a", "." of "a"; "" where there is none to name ("/",
/// ".", "..", "../a" too, since what lies above the pipeline's folder has no name in it).
[[nodiscard]] inline std::string_view parent_path(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos)
    return path == "." || path == ".." ? std::string_view() : std::string_view(".");
  if (slash == 0)
    return path.size() == 1 ? std::string_view() : path.substr(0, 1);
  return path.substr(0, slash);
}

/// Whether `path` lies beneath `folder`, at any depth; both normalised.
[[nodiscard]] inline bool lies_beneath(std::string_view path, std::string_view folder) {
  if (folder == ".")
    return path != "." && path.front() != '/' && path != ".." && !path.starts_with("../");
  if (folder == "/")
    return path.size() > 1 && path.front() == '/';
  return path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder);
}

} // namespace troupe_internal
