// A table by device and inode.
#include "adapters/files/linked_files.hpp"

#include "adapters/files/file_content.hpp"
#include "adapters/system/system_clock.hpp"
#include "ports/file_system.hpp"

namespace troupe_internal {

namespace {
/// Beyond this, files are read again instead of remembered.
constexpr std::size_t most_entries = 1'000'000;
} // namespace

result<file_record> linked_files::read(int at, std::string_view path, const struct stat& seen,
                                       const look_bounds& bounds) {
  std::shared_ptr<entry> mine;
  {
    const std::lock_guard lock(mutex_);
    const disk_identity key{seen.st_dev, seen.st_ino};
    const auto found = entries_.find(key);
    if (found != entries_.end())
      mine = found->second;
    else if (entries_.size() < most_entries)
      mine = entries_.emplace(key, std::make_shared<entry>()).first->second;
  }
  if (!mine)
    return read_file_record(at, path, seen, bounds);
  const std::lock_guard lock(mine->reading);
  if (mine->record.stat.kind == file_kind::file && mine->record.stat == to_file_stat(seen, at, path))
    return mine->record;
  const auto read_at = system_clock().now();
  auto record = read_file_record(at, path, seen, bounds);
  if (record && !is_racy(record->stat, read_at, timestamp_granularity(record->stat)))
    mine->record = *record;
  return record;
}

} // namespace troupe_internal
