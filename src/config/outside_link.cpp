// lstat and realpath, one name after another.
#include "config/outside_link.hpp"

#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe_internal::config {
namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& folder, const fs::path& file) {
  const std::string above = folder.string() + (folder.has_relative_path() ? "/" : "");
  return file.string().starts_with(above);
}

bool is_system_link(const fs::path& folder, const struct stat& link) {
  return !folder.has_relative_path() || (link.st_uid == 0 && ::geteuid() != 0);
}

} // namespace

bool passes_outside_link(const std::string& file) {
  const fs::path path(file);
  std::error_code failed;
  fs::path at = path.is_absolute() ? fs::path("/") : fs::current_path(failed);
  for (const auto& name : path.relative_path()) {
    if (failed)
      return false;
    if (name.empty() || name == ".")
      continue;
    if (name == "..") {
      at = at.parent_path();
      continue;
    }
    const auto next = at / name;
    struct stat info {};
    if (::lstat(next.c_str(), &info) != 0)
      return false;
    if (!S_ISLNK(info.st_mode)) {
      at = next;
      continue;
    }
    const auto target = fs::canonical(next, failed);
    if (failed)
      return false;
    if (!is_within(at, target) && !(path.is_absolute() && is_system_link(at, info)))
      return true;
    at = target;
  }
  return false;
}

} // namespace troupe_internal::config
