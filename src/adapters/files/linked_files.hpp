// Files that links in folders lead to, each read once however many links there are. Knows nothing of links.
#pragma once

#include "adapters/files/disk_identity.hpp"
#include "adapters/files/look_bounds.hpp"
#include "base/result.hpp"
#include "core/model/materialization.hpp"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <string_view>

namespace troupe_internal {

/// Kept for as long as one process looks at files. Any thread; who asks for a file that another thread is reading waits
/// for it.
class linked_files {
public:
  /// read_file_record(), or what it found before if the stat is still the same and can be trusted.
  [[nodiscard]] result<file_record> read(int at, std::string_view path, const struct stat& seen,
                                         const look_bounds& bounds);

private:
  struct entry {
    std::mutex reading;
    file_record record; // kind absent: not known
  };
  std::mutex mutex_;
  std::map<disk_identity, std::shared_ptr<entry>> entries_;
};

} // namespace troupe_internal
