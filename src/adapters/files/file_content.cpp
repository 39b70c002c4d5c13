// Reads files into digests, watching that what was read is what the stat says.
#include "adapters/files/file_content.hpp"

#include "adapters/files/device_kind.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_fd.hpp"
#include "ports/file_system.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {
namespace {

constexpr int reads_at_most = 4;                             // of something that keeps changing
constexpr std::uint64_t read_again_bytes = 64 * 1024 * 1024; // what is larger is read once, whatever happens to it
constexpr std::size_t read_bytes = 128 * 1024;

std::int64_t nanoseconds(const timespec& t) {
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

error not_a_file(std::string_view path, const struct stat& info) {
  const char* what = S_ISFIFO(info.st_mode)                           ? "a FIFO"
                     : S_ISSOCK(info.st_mode)                         ? "a socket"
                     : S_ISDIR(info.st_mode)                          ? "a folder"
                     : S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode) ? "a device"
                                                                      : "not a file";
  return fail(error_code::io, std::string(path) + " is " + what + ": only files and folders have content");
}

/// Opens a regular file for reading and tells its stat. Looks before it opens (unless `looked`: the caller has),
/// because merely opening a FIFO or device can have effects, and after, because it may have been exchanged in between.
result<unique_fd> open_regular(int at, std::string_view path, struct stat& info, bool looked = false) {
  const c_path c(path);
  if (c.error() != 0)
    return posix_error("read", path, c.error());
  if (!looked && fstatat(at, c.get(), &info, 0) != 0)
    return posix_error("read", path, errno);
  if (!S_ISREG(info.st_mode))
    return not_a_file(path, info);
  unique_fd fd(openat(at, c.get(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd)
    return posix_error("read", path, errno);
  if (fstat(fd.get(), &info) != 0)
    return posix_error("read", path, errno);
  if (!S_ISREG(info.st_mode))
    return not_a_file(path, info);
  return fd;
}

/// Of the first `size` bytes: what is appended meanwhile may have no end. 0: of all there are, since the kernel's own
/// files (/proc) do not tell their size.
result<digest> digest_of(const unique_fd& fd, std::string_view path, std::uint64_t size, const look_bounds& bounds) {
  std::array<char, read_bytes> buffer;
  content_hasher hasher;
  for (std::uint64_t done = 0;;) {
    if (size != 0 && done == size)
      return hasher.finish();
    const auto wanted = size == 0 ? buffer.size() : std::min<std::uint64_t>(size - done, buffer.size());
    const auto got = read(fd.get(), buffer.data(), wanted);
    if (got < 0 && errno != EINTR)
      return posix_error("read", path, errno);
    if (got == 0)
      return hasher.finish();
    if (got < 0)
      continue;
    hasher.update({buffer.data(), static_cast<std::size_t>(got)});
    done += static_cast<std::uint64_t>(got);
    if (static_cast<std::size_t>(got) == buffer.size() && bounds.broken_off()) // what is small is read to its end
      return broken_off_error(path);
  }
}

} // namespace

file_stat to_file_stat(const struct stat& info, int at, std::string_view path) {
  file_stat stat;
  stat.kind = S_ISREG(info.st_mode) ? file_kind::file : S_ISDIR(info.st_mode) ? file_kind::folder : file_kind::other;
  stat.size = static_cast<std::uint64_t>(info.st_size);
  stat.mtime_ns = nanoseconds(info.st_mtim);
  stat.ctime_ns = nanoseconds(info.st_ctim);
  stat.inode = info.st_ino;
  switch (kind_of_device(info, at, path)) {
  case device_kind::kernel:
    stat.size = 0;
    stat.mtime_ns = 0;
    stat.ctime_ns = never_settled;
    stat.inode = 0;
    break;
  case device_kind::invents_bits:
    break;
  case device_kind::ordinary:
    if (S_ISREG(info.st_mode))
      stat.executable = (info.st_mode & S_IXUSR) != 0 ? executable_bit::yes : executable_bit::no;
  }
  return stat;
}

result<file_record> read_file_record(int at, std::string_view path, const struct stat& seen,
                                     const look_bounds& bounds) {
  struct stat info = seen;
  for (int i = 1;; ++i) {
    // Opened anew each time: a file that was replaced keeps its old content for whoever still has it open.
    auto fd = open_regular(at, path, info, i == 1);
    if (!fd)
      return fd.error();
    const auto before = to_file_stat(info, at, path);
    auto content = digest_of(*fd, path, before.size, bounds);
    if (!content)
      return content.error();
    if (fstat(fd->get(), &info) != 0)
      return posix_error("read", path, errno);
    const auto after = to_file_stat(info, at, path);
    if (before == after || after.size > before.size || i == reads_at_most || before.size > read_again_bytes) {
      const auto counted = bounds.secret_files ? bounds.secret_files->counted(info, *content) : *content;
      return file_record{before, counted, before.executable, {}};
    }
  }
}

result<std::string> read_whole_file(int at, std::string_view path, std::uint64_t limit) {
  struct stat info;
  auto fd = open_regular(at, path, info);
  if (!fd)
    return fd.error();
  std::string text;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto got = read(fd->get(), buffer.data(), buffer.size());
    if (got == 0)
      return text;
    if (got < 0) {
      if (errno == EINTR)
        continue;
      return posix_error("read", path, errno);
    }
    if (text.size() + static_cast<std::uint64_t>(got) > limit)
      return fail(error_code::invalid_input,
                  std::string(path) + " is larger than the " + std::to_string(limit) + " bytes allowed");
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

} // namespace troupe_internal
