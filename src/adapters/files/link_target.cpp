// One descriptor that opens nothing (O_PATH), and what the kernel says of it.
#include "adapters/files/link_target.hpp"

#include "adapters/files/device_kind.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace troupe_internal {
namespace {

std::string real_path_of(const unique_fd& fd, std::string_view root, std::string_view path) {
  std::array<char, PATH_MAX> text;
  const auto proc = "/proc/self/fd/" + std::to_string(fd.get());
  const auto size = readlink(proc.c_str(), text.data(), text.size());
  if (size > 0 && text[0] == '/')
    return std::string(text.data(), static_cast<std::size_t>(size));
  // /proc is not there: the same by asking for each part of the path.
  const auto whole = path.starts_with('/') ? std::string(path) : std::string(root) + "/" + std::string(path);
  const std::unique_ptr<char, decltype(&std::free)> found(realpath(whole.c_str(), nullptr), &std::free);
  return found ? std::string(found.get()) : std::string();
}

bool is_the_systems(std::string_view real) {
  if (is_within(real, "/dev"))
    return !is_within(real, "/dev/shm");
  return is_within(real, "/proc") || is_within(real, "/sys");
}

} // namespace

bool is_within(std::string_view path, std::string_view folder) {
  if (folder == "/")
    return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string real_path(int at, std::string_view root, std::string_view path) {
  const c_path c(path);
  if (c.error() != 0)
    return {};
  const unique_fd fd(openat(at, c.get(), O_PATH | O_CLOEXEC));
  return fd ? real_path_of(fd, root, path) : std::string();
}

result<link_target> follow_link(int at, std::string_view root, std::string_view path) {
  const c_path c(path);
  if (c.error() != 0)
    return posix_error("read the link", path, c.error());
  link_target target;
  std::array<char, PATH_MAX> text;
  const auto size = readlinkat(at, c.get(), text.data(), text.size());
  if (size < 0)
    return posix_error("read the link", path, errno);
  target.text.assign(text.data(), static_cast<std::size_t>(size));
  const unique_fd fd(openat(at, c.get(), O_PATH | O_CLOEXEC));
  if (!fd) {
    // Where nobody can go there is nothing to count.
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES || errno == ENAMETOOLONG)
      return target;
    return posix_error("follow the link", path, errno);
  }
  if (fstat(fd.get(), &target.info) != 0)
    return posix_error("follow the link", path, errno);
  const bool folder = S_ISDIR(target.info.st_mode);
  if ((!folder && !S_ISREG(target.info.st_mode)) || kind_of_device(target.info, at, path) == device_kind::kernel)
    return target;
  target.real = real_path_of(fd, root, path);
  if (!target.real.empty() && !is_the_systems(target.real))
    target.what = folder ? link_target::leads_to::folder : link_target::leads_to::file;
  return target;
}

} // namespace troupe_internal
