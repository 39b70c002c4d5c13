// Climbs by descriptors: "..", until a folder is its own parent.
#include "adapters/files/disk_identity.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace troupe_internal {

result<std::vector<disk_identity>> identities_up(int at, std::string_view path) {
  const c_path c(path);
  if (c.error() != 0)
    return posix_error("look at", path, c.error());
  unique_fd here(openat(at, c.get(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::vector<disk_identity> up;
  for (;;) {
    struct stat info;
    if (!here || fstat(here.get(), &info) != 0)
      return posix_error("look at the folders above", path, errno);
    const disk_identity found{info.st_dev, info.st_ino};
    if (!up.empty() && up.back() == found)
      return up;
    up.push_back(found);
    here = unique_fd(openat(here.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
}

} // namespace troupe_internal
