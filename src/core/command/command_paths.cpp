// Paths as lists of components: the ones two folders share, the steps up from one, the way down to the other.
#include "core/command/command_paths.hpp"

#include <algorithm>

namespace troupe_internal {

command_paths::command_paths(std::string_view folder, std::string_view cwd) : folder_(folder) {
  if (cwd.starts_with('/')) {
    foreign_ = !cwd.starts_with(folder) || (cwd.size() > folder.size() && folder != "/" && cwd[folder.size()] != '/');
    if (foreign_)
      return;
    cwd.remove_prefix(folder.size());
  }
  for (std::size_t at = 0; at < cwd.size() && !foreign_;) {
    const auto end = std::min(cwd.find('/', at), cwd.size());
    const auto part = cwd.substr(at, end - at);
    at = end + 1;
    if (part == "..") {
      foreign_ = components_.empty();
      if (!foreign_)
        components_.pop_back();
    } else if (!part.empty() && part != ".") {
      components_.push_back(part);
    }
  }
}

std::string_view command_paths::absolute(std::string_view path, bool marked, std::string& scratch) const {
  scratch = marked ? folder_mark : folder_;
  if (!marked && !scratch.ends_with('/'))
    scratch += '/';
  scratch += path;
  return scratch;
}

std::string_view command_paths::as_passed(std::string_view path, std::uint32_t steps_up, bool marked,
                                          std::string& scratch) const {
  if (at_home() || path.starts_with('/'))
    return path;
  if (path == ".") // the pipeline's folder itself, as the folder that a path lies in
    path = {};
  if (foreign_ || path == ".." || path.starts_with("../"))
    return absolute(path, marked, scratch);
  std::size_t shared = 0;
  std::string_view rest = path;
  while (shared < components_.size() && !rest.empty()) {
    const auto end = std::min(rest.find('/'), rest.size());
    if (rest.substr(0, end) != components_[shared])
      break;
    ++shared;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto up = components_.size() - shared;
  if (up > steps_up)
    return absolute(path, marked, scratch);
  if (up == 0)
    return rest.empty() ? std::string_view(".") : rest;
  scratch.clear();
  for (std::size_t i = 0; i < up; ++i)
    scratch += i + 1 < up || !rest.empty() ? "../" : "..";
  scratch += rest;
  return scratch;
}

bool ends_in_step_up(std::string_view before) {
  const auto without = [&](std::string_view last) {
    const auto size = before.size();
    before = before.substr(0, before.find_last_not_of(last) + 1);
    return before.size() != size;
  };
  without("'\"");
  if (!without("/"))
    return false;
  without("'\"");
  if (!before.ends_with(".."))
    return false;
  before.remove_suffix(2);
  // "a.." and "..." are names.
  return before.empty() || std::string_view("/ \t\n'\"=:,;&|<>()`").find(before.back()) != std::string_view::npos;
}

} // namespace troupe_internal
