// One statfs for each device, by the magic numbers of linux/magic.h and of file systems that are not listed there.
#include "adapters/files/device_kind.hpp"

#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_fd.hpp"

#include <fcntl.h>
#include <sys/vfs.h>

#include <map>
#include <mutex>
#include <optional>

namespace troupe_internal {
namespace {

device_kind kind_of_type(unsigned long type) {
  switch (type) {
  case 0x4d44:     // msdos, vfat
  case 0x2011bab0: // exfat
  case 0x5346544e: // ntfs
  case 0x7366746e: // ntfs3
  case 0x517b:     // smb
  case 0xff534d42: // cifs
  case 0xfe534d42: // smb2
  case 0x01021997: // 9p
    return device_kind::invents_bits;
  case 0x9fa0:     // proc
  case 0x62656572: // sysfs
  case 0x64626720: // debugfs
  case 0x74726163: // tracefs
  case 0x73636673: // securityfs
  case 0xf97cff8c: // selinuxfs
  case 0x27e0eb:   // cgroup
  case 0x63677270: // cgroup2
  case 0xcafe4a11: // bpf
  case 0xde5e81e4: // efivarfs
  case 0x62656570: // configfs
  case 0x1cd1:     // devpts
    return device_kind::kernel;
  default:
    return device_kind::ordinary;
  }
}

} // namespace

device_kind kind_of_device(const struct stat& info, int at, std::string_view path) {
  thread_local std::optional<std::pair<dev_t, device_kind>> latest; // most files are where the one before was
  if (latest && latest->first == info.st_dev)
    return latest->second;
  // Never destroyed: a program may have an engine in a static variable, which outlives what was made after it.
  static auto& mutex = *new std::mutex;
  static auto& known = *new std::map<dev_t, device_kind>;
  const std::lock_guard lock(mutex);
  auto found = known.find(info.st_dev);
  if (found == known.end()) {
    const c_path c(path);
    const unique_fd fd(c.error() == 0 ? openat(at, c.get(), O_PATH | O_CLOEXEC) : -1);
    struct statfs system;
    struct stat opened;
    if (!fd || fstat(fd.get(), &opened) != 0 || opened.st_dev != info.st_dev || fstatfs(fd.get(), &system) != 0)
      return device_kind::ordinary; // it has just gone; nothing is remembered
    // f_type is signed on some systems: only the lower 32 bits count.
    found = known.emplace(info.st_dev, kind_of_type(static_cast<unsigned long>(system.f_type) & 0xffffffffUL)).first;
  }
  latest = *found;
  return found->second;
}

} // namespace troupe_internal
