// One small file, made whole or not at all.
#include "adapters/state_key.hpp"

#include "adapters/posix_error.hpp"
#include "adapters/unique_fd.hpp"

#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace troupe {

namespace {

std::string key_path(const std::string& state_folder) {
  return state_folder + "/secret.key";
}

error refused(std::string_view doing, const std::string& path) {
  auto why = posix_error(doing, path, errno);
  why.code = error_code::state_unusable;
  return why;
}

} // namespace

std::optional<state_key> read_state_key(const std::string& state_folder) {
  const unique_fd file(
      ::open(key_path(state_folder).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      info.st_nlink != 1 || (info.st_mode & 077U) != 0)
    return std::nullopt;
  state_key key;
  if (info.st_size != static_cast<off_t>(key.size()) ||
      ::pread(file.get(), key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return std::nullopt;
  return key;
}

result<void> make_state_key(const std::string& state_folder) {
  if (read_state_key(state_folder))
    return {};
  state_key key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return refused("make random bytes for", key_path(state_folder));
  const auto draft = key_path(state_folder) + ".draft";
  if (::unlink(draft.c_str()) != 0 && errno != ENOENT)
    return refused("remove", draft);
  const unique_fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file)
    return refused("make", draft);
  if (::write(file.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size()) || ::fsync(file.get()) != 0)
    return refused("write", draft);
  if (::rename(draft.c_str(), key_path(state_folder).c_str()) != 0)
    return refused("make", key_path(state_folder));
  return {};
}

} // namespace troupe
