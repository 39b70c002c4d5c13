// Looks at all there is, then removes it from the leaves up.
#include "adapters/files/remove_tree.hpp"

#include "adapters/files/folder_walk.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {
namespace {

/// Whether another file system, or another part of this one, is mounted there. Older kernels do not say: then false.
bool is_mount_point(int at, const c_path& path) {
  struct statx info {};
  return ::statx(at, path.get(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &info) == 0 &&
         (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

error mounted(std::string_view path) {
  return fail(error_code::io, "cannot remove " + std::string(path) +
                                  ": a file system is mounted there; nothing was removed: unmount it first");
}

result<void> remove_one(int at, std::string_view path, bool folder) {
  const c_path c(path);
  if (::unlinkat(at, c.get(), folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
    return posix_error("remove", path, errno);
  return {};
}

} // namespace

result<void> remove_tree(int at, std::string_view path) {
  const c_path c(path);
  if (c.error() != 0)
    return posix_error("remove", path, c.error());
  struct stat info;
  if (::fstatat(at, c.get(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT || errno == ENOTDIR ? result<void>() : result<void>(posix_error("remove", path, errno));
  if (is_mount_point(at, c))
    return mounted(path);
  if (!S_ISDIR(info.st_mode))
    return remove_one(at, path, false);
  std::vector<std::pair<std::string, bool>> members; // each folder before what is in it
  auto walked = walk_folder(at, path, [&](const folder_member& member) -> result<void> {
    const bool folder = S_ISDIR(member.info.st_mode);
    if (folder && (member.info.st_dev != info.st_dev || is_mount_point(at, c_path(member.full))))
      return mounted(member.full);
    members.emplace_back(member.full, folder);
    return {};
  });
  if (!walked)
    return walked;
  for (auto one = members.rbegin(); one != members.rend(); ++one)
    if (auto removed = remove_one(at, one->first, one->second); !removed)
      return removed;
  return remove_one(at, path, true);
}

} // namespace troupe_internal
