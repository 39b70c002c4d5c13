// The file system port on the disk: looks, then hands over to who knows.
#include "adapters/files/posix_file_system.hpp"

#include "adapters/files/file_content.hpp"
#include "adapters/files/posix_glob.hpp"
#include "adapters/files/remove_tree.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

namespace troupe_internal {
namespace {

/// stat(2), with "there is no such file" as a value: false. `link`: whether the path itself is a link.
result<bool> look_at(int at, std::string_view path, struct stat& info, bool* link = nullptr) {
  const c_path c(path);
  if (c.error() != 0)
    return posix_error("look at", path, c.error());
  if (link != nullptr) { // most paths are not: then one call answers both
    const bool there = fstatat(at, c.get(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    *link = there && S_ISLNK(info.st_mode);
    if (there && !*link)
      return true;
  }
  if (fstatat(at, c.get(), &info, 0) == 0)
    return true;
  if (errno == ENOENT || errno == ENOTDIR)
    return false;
  return posix_error("look at", path, errno);
}

} // namespace

std::string_view parent_of(std::string_view path) {
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos)
    return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

result<void> make_folders(int at, std::string_view path) {
  if (path.empty())
    return {};
  struct stat info;
  auto there = look_at(at, path, info);
  if (!there)
    return there.error();
  // From the first that is missing downwards. EEXIST may be somebody who was faster: only what is there now counts.
  for (std::size_t end = 0; !*there && end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const auto part = path.substr(0, end);
    const c_path c(part);
    if (mkdirat(at, c.get(), 0777) != 0 && errno != EEXIST && errno != EISDIR)
      return posix_error("make the folder", part, errno);
  }
  if (!*there) {
    there = look_at(at, path, info);
    if (!there)
      return there.error();
  }
  if (!*there || !S_ISDIR(info.st_mode))
    return fail(error_code::io, "cannot make the folder " + std::string(path) + ": something else is in its way");
  return {};
}

std::optional<folder_identity> identity_of_folder(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return std::nullopt;
  return folder_identity{info.st_dev, info.st_ino};
}

result<std::unique_ptr<posix_file_system>> posix_file_system::open(std::string root, look_bounds bounds) {
  const c_path path(root);
  if (path.error() != 0)
    return posix_error("open the folder", root, path.error());
  unique_fd at(::open(path.get(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at || !at.lift_above_standard())
    return posix_error("open the folder", root, errno);
  char real[PATH_MAX];
  std::string real_root = realpath(path.get(), real) != nullptr ? std::string(real) : root;
  return std::unique_ptr<posix_file_system>(
      new posix_file_system(std::move(root), std::move(real_root), std::move(at), std::move(bounds)));
}

result<file_stat> posix_file_system::glance(std::string_view name) const {
  struct stat info;
  bool link = false;
  const auto path = unfiltered(name);
  auto there = look_at(at_.get(), path, info, &link);
  if (!there)
    return there.error();
  file_stat seen;
  if (!*there) {
    seen.link = link; // one that leads to nothing
    return seen;
  }
  if (S_ISDIR(info.st_mode))
    seen.kind = file_kind::folder;
  else
    seen = to_file_stat(info, at_.get(), path);
  seen.link = link;
  return seen;
}

result<file_stat> posix_file_system::stat(std::string_view name, link_rule links) const {
  auto seen = glance(name);
  if (!seen || seen->kind != file_kind::folder)
    return seen;
  folder_remarks remarks;
  auto folded = stat_folder(setting(), folder_filter(name), links, &remarks);
  if (folded) {
    folded->link = seen->link;
    remember(name, std::move(remarks));
  }
  return folded;
}

result<file_record> posix_file_system::read(std::string_view name, link_rule links,
                                            std::vector<folder_listing>* listings) const {
  const folder_filter filter(name);
  const auto path = filter.path();
  struct stat info;
  bool link = false;
  auto there = look_at(at_.get(), path, info, &link);
  if (!there)
    return there.error();
  if (!*there)
    return file_record{};
  if (bounds_.is_state(info))
    return fail(error_code::io, std::string(path) +
                                    " is the folder of Troupe's state, which changes with every run: it "
                                    "cannot be an input or output");
  folder_remarks remarks;
  auto record = S_ISDIR(info.st_mode) ? read_folder(setting(), filter, links, listings, &remarks)
                                      : read_file_record(at_.get(), path, info, bounds_);
  if (!record) {
    // It may have gone between the two looks: then it is absent, and nothing is wrong.
    there = look_at(at_.get(), path, info);
    if (there && !*there)
      return file_record{};
    return record;
  }
  record->stat.link = link;
  if (S_ISDIR(info.st_mode))
    remember(name, std::move(remarks));
  return record;
}

void posix_file_system::remember(std::string_view name, folder_remarks remarks) const {
  const auto put = [&](auto& map, std::atomic<bool>& any, bool says, auto what) {
    if (!says && !any.load(std::memory_order_relaxed))
      return;
    const std::lock_guard lock(mutex_);
    if (says)
      map[std::string(name)] = std::move(what);
    else if (const auto old = map.find(name); old != map.end())
      map.erase(old);
    any.store(!map.empty());
  };
  const auto members = remarks.members_elsewhere;
  put(elsewhere_, any_elsewhere_, members >= many_members_elsewhere, members);
  const bool any = !remarks.links_inside.empty(); // before it is moved from
  put(inside_, any_inside_, any, std::move(remarks.links_inside));
}

std::vector<std::string> posix_file_system::links_inside(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = inside_.find(name);
  return found == inside_.end() ? std::vector<std::string>() : found->second;
}

std::uint64_t posix_file_system::members_elsewhere(std::string_view name) const {
  if (!any_elsewhere_.load(std::memory_order_relaxed))
    return 0;
  const std::lock_guard lock(mutex_);
  const auto found = elsewhere_.find(name);
  return found == elsewhere_.end() ? 0 : found->second;
}

result<std::vector<std::string>> posix_file_system::glob(std::string_view pattern, const std::vector<std::string>& skip,
                                                         glob_remarks* remarks) const {
  return glob_files(at_.get(), root_, pattern, skip, remarks, bounds_);
}

std::string posix_file_system::real_folder(std::string_view path) const {
  auto resolving = resolver();
  return resolving.resolve(path).identity;
}

result<void> posix_file_system::make_parent(std::string_view path) const {
  return make_folders(at_.get(), parent_of(path));
}

result<std::string> posix_file_system::read_text(std::string_view path, std::uint64_t limit) const {
  struct stat info;
  auto there = look_at(at_.get(), path, info);
  if (!there)
    return there.error();
  if (!*there)
    return fail(error_code::not_found, std::string(path) + " does not exist");
  return read_whole_file(at_.get(), path, limit);
}

result<void> posix_file_system::remove(std::string_view path) const {
  return remove_tree(at_.get(), path);
}

} // namespace troupe_internal
