// openat, fstat, and words for what is found.
#include "adapters/state/kept_folder.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_dir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace troupe_internal {
namespace {

constexpr int entry_flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
constexpr mode_t owner_file = 0600;
constexpr mode_t owner_folder = 0700;
constexpr mode_t writable_by_others = 0022;

std::string descriptor_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      errno = put == 0 ? ENOSPC : errno;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

} // namespace

error state_error(const std::string& folder, const std::string& what, int error_number) {
  auto text = "state " + folder + ": cannot " + what + ": " + errno_text(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT)
    text += ": free space and run again, or name a folder on another disk with --state or engine.state_dir";
  else if (error_number == EROFS)
    text += ": name a folder that can be written with --state or engine.state_dir";
  return fail(error_code::state_unusable, std::move(text));
}

std::string user_words(uid_t user) {
  std::array<char, 4096> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return "user " + std::to_string(user);
}

unique_fd open_folder_at(int at, const char* path, int more_flags, bool made) {
  constexpr int flags = O_DIRECTORY | O_CLOEXEC;
  unique_fd folder(::openat(at, path, O_RDONLY | flags | more_flags));
  if (folder || errno != EACCES)
    return folder;
  folder = unique_fd(::openat(at, path, O_PATH | flags | more_flags));
  struct stat info {};
  if (!folder || !made || ::fstat(folder.get(), &info) != 0 || info.st_uid != ::geteuid())
    return folder;
  // By the descriptor, so that it is the folder that was looked at.
  if (::chmod(descriptor_path(folder.get()).c_str(), owner_folder) != 0)
    return {};
  return unique_fd(::openat(at, path, O_RDONLY | flags | more_flags));
}

std::string kept_folder::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string kept_folder::kind_words(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return {};
  case S_IFLNK:
    return "a symbolic link";
  case S_IFDIR:
    return "a folder";
  case S_IFIFO:
    return "a FIFO";
  case S_IFSOCK:
    return "a socket";
  default:
    return "a device";
  }
}

error kept_folder::refused(const std::string& name, const std::string& finding) const {
  return fail(error_code::state_unusable,
              "state " + path_ + ": its " + name + " " + finding +
                  ". In a state Troupe uses entries of its own alone, and follows no links. Remove " + path_of(name) +
                  ", or name another folder with --state or engine.state_dir");
}

std::string kept_folder::finding(const struct stat& info, entry_use use) const {
  if (const auto kind = kind_words(info.st_mode); !kind.empty())
    return "is " + kind + ", not a regular file";
  if ((use == entry_use::trust || use == entry_use::write) && ours_ && info.st_uid != ::geteuid())
    return "belongs to " + user_words(info.st_uid);
  if ((use == entry_use::show || use == entry_use::write) && info.st_nlink > 1)
    return "has another name elsewhere (it is a hard link)";
  return {};
}

error kept_folder::not_opened(const std::string& name, entry_use use, int error_number) const {
  if (error_number == ENOENT)
    return fail(error_code::not_found, path_of(name) + " does not exist");
  if (const auto info = look(name))
    if (const auto found = finding(*info, use); !found.empty())
      return refused(name, found);
  return state_error(path_, "open its " + name, error_number);
}

std::optional<struct stat> kept_folder::look(const std::string& name) const {
  struct stat info {};
  if (::fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return info;
}

result<void> kept_folder::check(const std::string& name, entry_use use) const {
  const auto info = look(name);
  if (!info)
    return not_opened(name, use, errno);
  if (const auto found = finding(*info, use); !found.empty())
    return refused(name, found);
  return {};
}

result<std::vector<std::string>> kept_folder::names() const {
  // Of its own: where one has come in a folder belongs to the open file.
  unique_fd again(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again)
    return state_error(path_, "list it", errno);
  const unique_dir dir(::fdopendir(again.get()));
  if (!dir)
    return state_error(path_, "list it", errno);
  static_cast<void>(again.release());
  std::vector<std::string> found;
  for (errno = 0; const auto* entry = ::readdir(dir.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      found.emplace_back(name);
  }
  if (errno != 0)
    return state_error(path_, "list it", errno);
  return found;
}

result<unique_fd> kept_folder::open(const std::string& name, entry_use use) const {
  unique_fd file(::openat(fd_.get(), name.c_str(), (use == entry_use::write ? O_RDWR : O_RDONLY) | entry_flags));
  if (!file)
    return not_opened(name, use, errno);
  struct stat info {};
  if (!file.lift_above_standard() || ::fstat(file.get(), &info) != 0)
    return state_error(path_, "open its " + name, errno);
  if (const auto found = finding(info, use); !found.empty())
    return refused(name, found);
  return file;
}

result<void> kept_folder::give_owner_bits(int fd, const std::string& name) const {
  struct stat info {};
  if (::fstat(fd, &info) == 0 && ((info.st_mode & owner_file) == owner_file || ::fchmod(fd, owner_file) == 0))
    return {};
  return state_error(path_, "make its " + name, errno);
}

result<unique_fd> kept_folder::open_or_make(const std::string& name, bool& made) const {
  constexpr int tries = 10; // somebody else of this user's may make and remove it
  for (int i = 0;; ++i) {
    made = false;
    auto file = open(name, entry_use::write);
    if (file || file.error().code != error_code::not_found)
      return file;
    unique_fd fresh(::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | entry_flags, owner_file));
    if (!fresh && errno == EEXIST && i < tries)
      continue;
    if (!fresh || !fresh.lift_above_standard())
      return state_error(path_, "make its " + name, errno);
    made = true;
    if (auto given = give_owner_bits(fresh.get(), name); !given)
      return given.error();
    return fresh;
  }
}

result<unique_fd> kept_folder::make(const std::string& name) const {
  const auto fresh = [&] {
    return unique_fd(::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | entry_flags, owner_file));
  };
  auto file = fresh();
  if (!file && errno == EEXIST) {
    if (auto removed = remove(name); !removed)
      return removed.error();
    file = fresh();
  }
  if (!file && errno == ENOENT) // the folder itself was removed
    return fail(error_code::not_found, path_of(name) + " cannot be made: " + path_ + " was removed");
  if (!file || !file.lift_above_standard())
    return state_error(path_, "make its " + name, errno);
  if (auto given = give_owner_bits(file.get(), name); !given)
    return given.error();
  return file;
}

result<std::string> kept_folder::read(const std::string& name, std::uint64_t limit, entry_use use) const {
  const auto file = open(name, use);
  if (!file)
    return file.error();
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const auto got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return state_error(path_, "read its " + name, errno);
    if (got == 0)
      return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > limit)
      return fail(error_code::state_unusable,
                  path_of(name) + " is larger than the " + std::to_string(limit) + " bytes allowed");
  }
}

result<void> kept_folder::write(const std::string& name, std::string_view text) const {
  const auto file = make(name);
  if (!file)
    return file.error();
  if (!write_all(file->get(), text) || ::fsync(file->get()) != 0)
    return state_error(path_, "write " + name, errno);
  return {};
}

result<void> kept_folder::replace(const std::string& name, std::string_view text) const {
  const auto draft = name + ".new";
  if (auto written = write(draft, text); !written)
    return written;
  return rename(draft, name);
}

result<void> kept_folder::remove(const std::string& name) const {
  if (::unlinkat(fd_.get(), name.c_str(), 0) == 0 || errno == ENOENT)
    return {};
  const int why = errno;
  if (const auto info = look(name); info && S_ISDIR(info->st_mode))
    return refused(name, "is a folder, not a regular file");
  return state_error(path_, "remove its " + name, why);
}

result<void> kept_folder::rename(const std::string& from, const std::string& to) const {
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) == 0)
    return {};
  const int why = errno;
  if (const auto info = look(to); info && S_ISDIR(info->st_mode))
    return refused(to, "is a folder, not a regular file");
  return state_error(path_, "make " + to, why);
}

result<void> kept_folder::sync() const {
  if (::fsync(fd_.get()) != 0)
    return state_error(path_, "bring it to disk", errno);
  return {};
}

result<kept_folder> kept_folder::open_folder(const std::string& name, entry_use use) const {
  auto folder = open_folder_at(fd_.get(), name.c_str(), O_NOFOLLOW, false);
  if (!folder) {
    const int why = errno;
    if (why == ENOENT)
      return fail(error_code::not_found, path_of(name) + " does not exist");
    if (const auto info = look(name); info && !S_ISDIR(info->st_mode)) {
      const auto kind = kind_words(info->st_mode);
      return refused(name, "is " + (kind.empty() ? "a file" : kind) + ", not a folder");
    }
    return state_error(path_, "open its " + name, why);
  }
  struct stat info {};
  if (!folder.lift_above_standard() || ::fstat(folder.get(), &info) != 0)
    return state_error(path_, "open its " + name, errno);
  if (use != entry_use::write)
    return kept_folder(std::move(folder), path_of(name), ours_);
  if (info.st_uid != ::geteuid())
    return refused(name, "belongs to " + user_words(info.st_uid));
  if ((info.st_mode & writable_by_others) != 0 &&
      ::fchmod(folder.get(), info.st_mode & 07777U & ~writable_by_others) != 0)
    return state_error(path_, "keep others from writing in its " + name, errno);
  return kept_folder(std::move(folder), path_of(name), ours_);
}

result<kept_folder> kept_folder::open_or_make_folder(const std::string& name, bool& made) const {
  made = false;
  auto folder = open_folder(name, entry_use::write);
  if (folder || folder.error().code != error_code::not_found)
    return folder;
  if (::mkdirat(fd_.get(), name.c_str(), owner_folder) == 0) {
    made = true;
    auto fresh = open_folder_at(fd_.get(), name.c_str(), O_NOFOLLOW, true);
    struct stat info {};
    if (fresh && fresh.lift_above_standard() && ::fstat(fresh.get(), &info) == 0 &&
        ((info.st_mode & owner_folder) == owner_folder || ::fchmod(fresh.get(), owner_folder) == 0))
      return kept_folder(std::move(fresh), path_of(name), ours_);
    return state_error(path_, "make its " + name, errno);
  }
  if (errno == ENOENT) // the folder itself was removed
    return fail(error_code::not_found, path_of(name) + " cannot be made: " + path_ + " was removed");
  if (errno != EEXIST)
    return state_error(path_, "make its " + name, errno);
  return open_folder(name, entry_use::write);
}

result<std::string> kept_folder::path_for_library(const std::string& name) const {
  static const bool by_descriptor = ::access("/proc/self/fd", X_OK) == 0;
  if (by_descriptor)
    return descriptor_path(fd_.get()) + "/" + name;
  struct stat there {};
  struct stat here {};
  if (::stat(path_.c_str(), &there) == 0 && ::fstat(fd_.get(), &here) == 0 && there.st_dev == here.st_dev &&
      there.st_ino == here.st_ino)
    return path_of(name);
  return fail(error_code::state_unusable, "state " + path_ + ": another folder took its place just now: try again");
}

bool kept_folder::leads_to(const std::string& name, std::uint64_t device, std::uint64_t inode) const {
  struct stat info {};
  return ::stat(path_of(name).c_str(), &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

} // namespace troupe_internal
