// A look at each of the few paths whenever a file was read: any of them may have been replaced.
#include "adapters/state/keyed_files.hpp"

#include <algorithm>

namespace troupe_internal {

digest keyed_files::counted(const struct stat& file, const digest& content) const {
  const bool keyed = std::any_of(paths_.begin(), paths_.end(), [&](const std::string& path) {
    struct stat now {};
    return ::stat(path.c_str(), &now) == 0 && now.st_dev == file.st_dev && now.st_ino == file.st_ino;
  });
  if (!keyed)
    return content;
  content_hasher hasher;
  hasher.update({reinterpret_cast<const char*>(key_.data()), key_.size()});
  hasher.update({reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size()});
  return hasher.finish();
}

} // namespace troupe_internal
