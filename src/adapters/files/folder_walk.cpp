// Walks a folder with an explicit stack and paths from one anchor, so that neither depth nor width takes descriptors.
#include "adapters/files/folder_walk.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_dir.hpp"
#include "adapters/system/unique_fd.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

std::string join(std::string_view folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  path.append(folder);
  if (!folder.empty() && folder.back() != '/')
    path += '/';
  path.append(name);
  return path;
}

struct pending_folder {
  std::string path;               // relative to the walk's folder
  std::vector<std::string> names; // those still to visit, the last one next
};

} // namespace

result<std::vector<std::string>> list_folder(int at, std::string_view folder) {
  const c_path path(folder);
  if (path.error() != 0)
    return posix_error("list the folder", folder, path.error());
  unique_fd fd(openat(at, path.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  if (!fd)
    return posix_error("list the folder", folder, errno);
  const unique_dir dir(fdopendir(fd.get()));
  if (!dir)
    return posix_error("list the folder", folder, errno);
  (void)fd.release(); // closedir closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0)
        return posix_error("list the folder", folder, errno);
      break;
    }
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..")
      names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

result<void> walk_folder(int at, std::string_view folder,
                         const std::function<result<void>(const folder_member&)>& visit, const folder_filter& filter,
                         const look_bounds& bounds, std::string_view place) {
  auto top = list_folder(at, folder);
  if (!top)
    return top.error();
  std::vector<pending_folder> stack;
  std::reverse(top->begin(), top->end());
  stack.push_back({{}, std::move(*top)});
  while (!stack.empty()) {
    auto& here = stack.back();
    if (here.names.empty()) {
      stack.pop_back();
      continue;
    }
    if (bounds.broken_off())
      return broken_off_error(folder);
    auto member = join(here.path, here.names.back());
    here.names.pop_back();
    if (!filter.takes_nothing() && filter.leaves_out(place.empty() ? member : join(place, member)))
      continue;
    const auto full = join(folder, member);
    const c_path path(full);
    if (path.error() != 0)
      return posix_error("look at", full, path.error());
    struct stat info;
    if (fstatat(at, path.get(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT)
        continue;
      return posix_error("look at", full, errno);
    }
    if (bounds.is_state(info))
      continue;
    if (auto visited = visit({member, full, info}); !visited)
      return visited;
    if (!S_ISDIR(info.st_mode))
      continue;
    auto names = list_folder(at, full);
    if (!names) {
      if (fstatat(at, path.get(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
        continue; // it went away while we looked
      return names.error();
    }
    std::reverse(names->begin(), names->end());
    stack.push_back({std::move(member), std::move(*names)});
  }
  return {};
}

} // namespace troupe_internal
