// The calls of libc that change files, defined here: this program and the libraries it uses get these instead. They go
// to the kernel directly. The names are given to the assembler, since headers give some of them others of their own.
#include "disk_recorder.hpp"

#include "base/check.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

namespace troupe_internal::test {
namespace {

struct recorder_state {
  disk_log* log = nullptr;
  std::string root;
  std::map<std::pair<dev_t, ino_t>, std::uint64_t> files; ///< of the root, by what the kernel calls them
  std::optional<std::uint64_t> calls_left;
  std::string boot;
  bool failing = false;
};

recorder_state& recorder() {
  static recorder_state instance;
  return instance;
}

/// The path beneath the root; nullopt if it is not.
std::optional<std::string> beneath_root(const char* path) {
  const auto& r = recorder();
  if (r.log == nullptr || std::strncmp(path, r.root.c_str(), r.root.size()) != 0)
    return std::nullopt;
  const char* rest = path + r.root.size();
  if (*rest == '\0')
    return std::string();
  return *rest == '/' ? std::optional<std::string>(rest + 1) : std::nullopt;
}

/// The path that a call means: relative to a folder's descriptor, or through /proc/self/fd, as LMDB is handed it.
std::string full_path(int at, const char* path) {
  constexpr std::string_view by_descriptor = "/proc/self/fd/";
  std::string_view rest = path;
  if (rest.starts_with(by_descriptor)) {
    at = std::atoi(path + by_descriptor.size());
    const auto slash = rest.find('/', by_descriptor.size());
    if (slash == std::string_view::npos)
      return path;
    rest.remove_prefix(slash + 1);
  } else if (at == AT_FDCWD || rest.starts_with('/')) {
    return path;
  }
  std::array<char, PATH_MAX> folder{};
  const auto link = std::string(by_descriptor) + std::to_string(at);
  const auto length = ::readlink(link.c_str(), folder.data(), folder.size() - 1);
  return std::string(folder.data(), length > 0 ? static_cast<std::size_t>(length) : 0) + "/" + std::string(rest);
}

void record(const disk_op& op) {
  auto& r = recorder();
  r.log->add(op);
  if (r.calls_left && (*r.calls_left)-- == 0)
    ::_exit(0);
}

struct stat facts_of(int fd) {
  struct stat st {};
  TROUPE_CHECK(::fstat(fd, &st) == 0, "an open file has facts");
  return st;
}

/// The file's number if it is one of the root's; 0 if not.
std::uint64_t number_of(int fd) {
  const auto& r = recorder();
  if (r.log == nullptr)
    return 0;
  const int saved = errno;
  const auto st = facts_of(fd);
  errno = saved;
  const auto found = r.files.find({st.st_dev, st.st_ino});
  return found == r.files.end() ? 0 : found->second;
}

void record_open(const std::string& path, int fd, bool existed, int flags) {
  const auto st = facts_of(fd);
  if (!S_ISREG(st.st_mode))
    return;
  disk_op op;
  op.path = path;
  op.number = st.st_ino;
  auto& file = recorder().files[{st.st_dev, st.st_ino}];
  if (!existed) {
    // A number of our own: the kernel may give that of a removed file to a new one.
    file = recorder().log->size() + 1;
    op.what = disk_op::kind::make_file;
    op.file = file;
    record(op);
    return;
  }
  if (file == 0) // made by an earlier life
    for (const auto& before : recorder().log->read())
      if (before.what == disk_op::kind::make_file && before.number == op.number)
        file = before.file;
  TROUPE_CHECK(file != 0, "every file of the root was made while it was recorded");
  if ((flags & O_TRUNC) != 0) {
    op.what = disk_op::kind::resize;
    op.file = file;
    op.number = 0;
    record(op);
  }
}

int open_file(int at, const char* path, int flags, mode_t mode) {
  auto& r = recorder();
  if (!r.boot.empty() && std::strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
    const int fd = static_cast<int>(::syscall(SYS_memfd_create, "boot_id", MFD_CLOEXEC));
    ::syscall(SYS_pwrite64, fd, r.boot.data(), r.boot.size(), 0L);
    return fd;
  }
  const auto mine = recorder().log == nullptr ? std::nullopt : beneath_root(full_path(at, path).c_str());
  struct stat before {};
  const bool existed = mine && ::fstatat(at, path, &before, AT_SYMLINK_NOFOLLOW) == 0;
  const int fd = static_cast<int>(::syscall(SYS_openat, at, path, flags, mode));
  if (fd >= 0 && mine)
    record_open(*mine, fd, existed, flags);
  return fd;
}

void record_write(int fd, std::uint64_t file, std::uint64_t at, std::string bytes) {
  disk_op op;
  op.what = disk_op::kind::write;
  op.file = file;
  op.number = at;
  op.bytes = std::move(bytes);
  op.through = (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  record(op);
}

ssize_t write_all(int fd, const iovec* parts, int count, std::optional<off_t> where, ssize_t done) {
  const auto file = done > 0 ? number_of(fd) : 0;
  if (file == 0)
    return done;
  const auto at = where ? *where : ::lseek(fd, 0, SEEK_CUR) - done;
  std::string bytes;
  for (int i = 0; i < count && bytes.size() < static_cast<std::size_t>(done); ++i)
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  bytes.resize(static_cast<std::size_t>(done));
  record_write(fd, file, static_cast<std::uint64_t>(at), std::move(bytes));
  return done;
}

int resize_file(int fd, off_t bytes) {
  const auto done = static_cast<int>(::syscall(SYS_ftruncate, fd, bytes));
  if (const auto file = done == 0 ? number_of(fd) : 0; file != 0) {
    disk_op op;
    op.what = disk_op::kind::resize;
    op.file = file;
    op.number = static_cast<std::uint64_t>(bytes);
    record(op);
  }
  return done;
}

int sync_any(int fd, long call) {
  auto& r = recorder();
  if (r.failing && call == SYS_fdatasync) {
    errno = EIO;
    return -1;
  }
  const auto done = static_cast<int>(::syscall(call, fd));
  if (r.log == nullptr || done != 0)
    return done;
  disk_op op;
  if (S_ISDIR(facts_of(fd).st_mode)) {
    std::array<char, PATH_MAX> path{};
    const auto link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), path.data(), path.size() - 1) <= 0)
      return done;
    if (auto mine = beneath_root(path.data())) {
      op.what = disk_op::kind::sync_folder;
      op.path = std::move(*mine);
      record(op);
    }
  } else if ((op.file = number_of(fd)) != 0) {
    op.what = disk_op::kind::sync_file;
    record(op);
  }
  return done;
}

int change_entry(disk_op::kind what, int at, const char* path, const char* to, int done) {
  auto mine = done == 0 && recorder().log != nullptr ? beneath_root(full_path(at, path).c_str()) : std::nullopt;
  if (!mine)
    return done;
  disk_op op;
  op.what = what;
  op.path = std::move(*mine);
  if (to != nullptr)
    op.to = beneath_root(full_path(at, to).c_str()).value();
  record(op);
  return done;
}

} // namespace

void record_disk(disk_log& log, const std::string& root) {
  recorder().log = &log;
  recorder().root = root;
}

void die_after_calls(std::uint64_t calls) {
  recorder().calls_left = calls;
}

void pretend_boot(const std::string& id) {
  recorder().boot = id.empty() ? id : id + "\n";
}

void fail_syncs(bool fail) {
  recorder().failing = fail;
}

} // namespace troupe_internal::test

using namespace troupe_internal::test;

extern "C" {

int taken_open(const char* path, int flags, ...) __asm__("open");
int taken_open64(const char* path, int flags, ...) __asm__("open64");
ssize_t taken_write(int fd, const void* bytes, size_t count) __asm__("write");
ssize_t taken_writev(int fd, const iovec* parts, int count) __asm__("writev");
ssize_t taken_pwrite(int fd, const void* bytes, size_t count, off_t at) __asm__("pwrite");
ssize_t taken_pwrite64(int fd, const void* bytes, size_t count, off_t at) __asm__("pwrite64");
ssize_t taken_pwritev(int fd, const iovec* parts, int count, off_t at) __asm__("pwritev");
ssize_t taken_pwritev64(int fd, const iovec* parts, int count, off_t at) __asm__("pwritev64");
int taken_ftruncate(int fd, off_t bytes) __asm__("ftruncate");
int taken_ftruncate64(int fd, off_t bytes) __asm__("ftruncate64");
int taken_fsync(int fd) __asm__("fsync");
int taken_fdatasync(int fd) __asm__("fdatasync");
int taken_msync(void* from, size_t bytes, int flags) __asm__("msync");
int taken_rename(const char* from, const char* to) __asm__("rename");
int taken_renameat(int from_at, const char* from, int to_at, const char* to) __asm__("renameat");
int taken_unlink(const char* path) __asm__("unlink");
int taken_unlinkat(int at, const char* path, int flags) __asm__("unlinkat");
int taken_mkdir(const char* path, mode_t mode) __asm__("mkdir");
int taken_openat(int at, const char* path, int flags, ...) __asm__("openat");
int taken_openat64(int at, const char* path, int flags, ...) __asm__("openat64");

int taken_open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_file(AT_FDCWD, path, flags, mode);
}

int taken_openat(int at, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_file(at, path, flags, mode);
}

int taken_openat64(int at, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_file(at, path, flags | O_LARGEFILE, mode);
}

int taken_open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_file(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

ssize_t taken_write(int fd, const void* bytes, size_t count) {
  const iovec one{const_cast<void*>(bytes), count};
  return write_all(fd, &one, 1, std::nullopt, ::syscall(SYS_write, fd, bytes, count));
}

ssize_t taken_writev(int fd, const iovec* parts, int count) {
  return write_all(fd, parts, count, std::nullopt, ::syscall(SYS_writev, fd, parts, count));
}

ssize_t taken_pwrite(int fd, const void* bytes, size_t count, off_t at) {
  const iovec one{const_cast<void*>(bytes), count};
  return write_all(fd, &one, 1, at, ::syscall(SYS_pwrite64, fd, bytes, count, at));
}

ssize_t taken_pwrite64(int fd, const void* bytes, size_t count, off_t at) {
  return taken_pwrite(fd, bytes, count, at);
}

ssize_t taken_pwritev(int fd, const iovec* parts, int count, off_t at) {
  return write_all(fd, parts, count, at, ::syscall(SYS_pwritev, fd, parts, count, at, 0L));
}

ssize_t taken_pwritev64(int fd, const iovec* parts, int count, off_t at) {
  return taken_pwritev(fd, parts, count, at);
}

int taken_ftruncate(int fd, off_t bytes) {
  return resize_file(fd, bytes);
}

int taken_ftruncate64(int fd, off_t bytes) {
  return resize_file(fd, bytes);
}

int taken_fsync(int fd) {
  return sync_any(fd, SYS_fsync);
}

int taken_fdatasync(int fd) {
  return sync_any(fd, SYS_fdatasync);
}

int taken_msync(void* from, size_t bytes, int flags) {
  TROUPE_CHECK(recorder().log == nullptr, "what is written through a mapping would escape the recorder");
  return static_cast<int>(::syscall(SYS_msync, from, bytes, flags));
}

int taken_rename(const char* from, const char* to) {
  return change_entry(disk_op::kind::rename, AT_FDCWD, from, to,
                      static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)));
}

int taken_unlink(const char* path) {
  return change_entry(disk_op::kind::remove, AT_FDCWD, path, nullptr,
                      static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0)));
}

int taken_renameat(int from_at, const char* from, int to_at, const char* to) {
  TROUPE_CHECK(from_at == to_at, "an entry stays in its folder");
  return change_entry(disk_op::kind::rename, from_at, from, to,
                      static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, 0)));
}

int taken_unlinkat(int at, const char* path, int flags) {
  return change_entry(disk_op::kind::remove, at, path, nullptr,
                      static_cast<int>(::syscall(SYS_unlinkat, at, path, flags)));
}

int taken_mkdir(const char* path, mode_t mode) {
  return change_entry(disk_op::kind::make_folder, AT_FDCWD, path, nullptr,
                      static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode)));
}
}
