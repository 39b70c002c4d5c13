// Reads files and folders into digests, watching that what was read is what the stat says.
#include "adapters/file_content.hpp"

#include "adapters/folder_walk.hpp"
#include "adapters/posix_error.hpp"
#include "adapters/posix_path.hpp"
#include "adapters/unique_fd.hpp"

#include <algorithm>
#include <array>

namespace troupe {
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

template <class Integer>
void append_bytes(std::string& to, Integer value) {
  for (unsigned i = 0; i < sizeof value; ++i)
    to.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU));
}

void append_text(std::string& to, std::string_view text) {
  append_bytes(to, static_cast<std::uint64_t>(text.size()));
  to.append(text);
}

/// Folds members' stats into one, in bounded memory.
class stat_fold {
public:
  stat_fold() { folded_.kind = file_kind::folder; }

  void add(const folder_member& member) {
    append_text(pending_, member.path);
    append_bytes(pending_, static_cast<std::uint32_t>(member.info.st_mode & (S_IFMT | S_IXUSR)));
    append_bytes(pending_, static_cast<std::uint64_t>(member.info.st_ino));
    // A folder's own size and times say no more than its members' names do, and change for nothing.
    if (!S_ISDIR(member.info.st_mode)) {
      const auto stat = to_file_stat(member.info);
      append_bytes(pending_, stat.size);
      append_bytes(pending_, stat.mtime_ns);
      append_bytes(pending_, stat.ctime_ns);
      folded_.size += stat.size;
      folded_.mtime_ns = std::max(folded_.mtime_ns, stat.mtime_ns);
      folded_.ctime_ns = std::max(folded_.ctime_ns, stat.ctime_ns);
    }
    if (pending_.size() > 64 * 1024)
      fold();
  }

  [[nodiscard]] file_stat finish() {
    fold();
    for (unsigned i = 0; i < sizeof folded_.inode; ++i)
      folded_.inode = folded_.inode << 8U | static_cast<unsigned char>(pending_[i]);
    return folded_;
  }

private:
  void fold() {
    const auto d = quick_digest(pending_);
    pending_.assign(d.bytes.begin(), d.bytes.end());
  }

  std::string pending_;
  file_stat folded_;
};

result<std::string> link_target(int at, std::string_view path) {
  const c_path c(path);
  std::array<char, PATH_MAX> target;
  const auto size = readlinkat(at, c.get(), target.data(), target.size());
  if (size < 0)
    return posix_error("read the link", path, errno);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

/// Whether a member that could not be read has gone since it was listed.
bool has_gone(int at, std::string_view path) {
  const c_path c(path);
  struct stat info;
  return fstatat(at, c.get(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

/// Feeds one member's kind, name, executable bit, target and content; nothing of one that has gone.
result<void> feed_member(content_hasher& hasher, int at, const folder_member& member, const look_bounds& bounds) {
  const auto mode = member.info.st_mode;
  std::string head;
  if (S_ISDIR(mode)) {
    head = "d";
    append_text(head, member.path);
  } else if (S_ISLNK(mode)) {
    auto target = link_target(at, member.full);
    if (!target)
      return has_gone(at, member.full) ? result<void>() : target.error();
    head = "l";
    append_text(head, member.path);
    append_text(head, *target);
  } else if (S_ISREG(mode)) {
    auto content = read_file_record(at, member.full, member.info, bounds);
    if (!content)
      return has_gone(at, member.full) ? result<void>() : content.error();
    head = (mode & S_IXUSR) != 0 ? "x" : "f";
    append_text(head, member.path);
    head.append(content->content.bytes.begin(), content->content.bytes.end());
  } else {
    return not_a_file(member.full, member.info);
  }
  hasher.update(head);
  return {};
}

} // namespace

file_stat to_file_stat(const struct stat& info) {
  file_stat stat;
  stat.kind = S_ISREG(info.st_mode) ? file_kind::file : S_ISDIR(info.st_mode) ? file_kind::folder : file_kind::other;
  stat.size = static_cast<std::uint64_t>(info.st_size);
  stat.mtime_ns = nanoseconds(info.st_mtim);
  stat.ctime_ns = nanoseconds(info.st_ctim);
  stat.inode = info.st_ino;
  return stat;
}

result<file_stat> fold_folder_stat(int at, std::string_view path, const folder_filter& filter,
                                   const look_bounds& bounds) {
  stat_fold fold;
  auto walked = walk_folder(
      at, path,
      [&](const folder_member& member) -> result<void> {
        fold.add(member);
        return {};
      },
      filter, bounds);
  if (!walked)
    return walked.error();
  return fold.finish();
}

result<file_record> read_file_record(int at, std::string_view path, const struct stat& seen,
                                     const look_bounds& bounds) {
  struct stat info = seen;
  for (int i = 1;; ++i) {
    // Opened anew each time: a file that was replaced keeps its old content for whoever still has it open.
    auto fd = open_regular(at, path, info, i == 1);
    if (!fd)
      return fd.error();
    const auto before = to_file_stat(info);
    auto content = digest_of(*fd, path, before.size, bounds);
    if (!content)
      return content.error();
    if (fstat(fd->get(), &info) != 0)
      return posix_error("read", path, errno);
    const auto after = to_file_stat(info);
    if (before == after || after.size > before.size || i == reads_at_most || before.size > read_again_bytes)
      return file_record{before, *content};
  }
}

result<file_record> read_folder_record(int at, std::string_view path, const folder_filter& filter,
                                       const look_bounds& bounds) {
  for (int i = 1;; ++i) {
    stat_fold fold;
    content_hasher hasher;
    auto walked = walk_folder(
        at, path,
        [&](const folder_member& member) -> result<void> {
          fold.add(member);
          return feed_member(hasher, at, member, bounds);
        },
        filter, bounds);
    if (!walked && (walked.error().code == error_code::stopped || i == reads_at_most))
      return walked.error();
    auto after = fold_folder_stat(at, path, filter, bounds);
    if (!after)
      return after.error();
    const auto before = fold.finish();
    if (!walked && before == *after)
      return walked.error();
    if (!walked)
      continue; // a member became something else while it was looked at
    if (before == *after || i == reads_at_most || before.size > read_again_bytes)
      return file_record{before, hasher.finish()};
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

} // namespace troupe
