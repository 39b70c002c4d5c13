// statfs, fsync, and the note on what is not on disk.
#include "adapters/state/state_folder.hpp"

#include "adapters/system/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace troupe_internal {

namespace {

constexpr const char* unsynced_file = "unsynced";
constexpr const char* mark_of_loss = "lost";
constexpr std::uint64_t most_of_a_note = 4096;

std::string without_newlines(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

result<void> note(const state_dir& dir, const std::string& text) {
  if (auto written = dir.replace(unsynced_file, text + "\n"); !written)
    return written;
  return dir.sync();
}

} // namespace

const char* network_file_system(std::uint64_t type) {
  static constexpr std::array<std::pair<std::uint64_t, const char*>, 12> types = {{
      {0x6969, "NFS"},
      {0x517B, "SMB"},
      {0xFF534D42, "CIFS"},
      {0xFE534D42, "SMB"},
      {0x5346414F, "AFS"},
      {0x73757245, "Coda"},
      {0x564C, "NCP"},
      {0x00C36400, "Ceph"},
      {0x01021997, "9p"},
      {0x0BD00BD0, "Lustre"},
      {0x47504653, "GPFS"},
      {0x013111A8, "OCFS2"},
  }};
  for (const auto& [number, name] : types)
    if (number == (type & 0xFFFFFFFFU))
      return name;
  return nullptr;
}

result<void> require_local(const kept_folder& folder) {
  struct statfs st {};
  if (::fstatfs(folder.descriptor(), &st) != 0)
    return state_error(folder.path(), "use it", errno);
  const auto* name = network_file_system(static_cast<std::uint64_t>(st.f_type));
  if (name == nullptr)
    return {};
  return fail(error_code::state_unusable,
              "state " + folder.path() + " lies on a network file system (" + name +
                  "), where a journal cannot be kept safely: name a folder on a local disk with --state or "
                  "engine.state_dir");
}

std::string current_boot_id() {
  const unique_fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::array<char, 256> buffer{};
  const auto got = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  return without_newlines(std::string(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0));
}

bool is_marked_unsynced(const state_dir& dir) {
  return dir.look(unsynced_file).has_value();
}

result<void> require_trustworthy(const state_dir& dir) {
  if (!is_marked_unsynced(dir))
    return {};
  auto mark = dir.read(unsynced_file, most_of_a_note);
  if (!mark && mark.error().code == error_code::not_found)
    return {}; // its writer has just ended
  if (!mark)
    return mark.error();
  *mark = without_newlines(std::move(*mark));
  if (!mark->empty() && *mark == current_boot_id())
    return {}; // only the process died: the kernel still has every commit
  return fail(
      error_code::state_unusable,
      "state " + dir.path() + " was written with durability none, and " +
          (*mark == mark_of_loss ? "then could not be brought to disk" : "the machine went down before it was closed") +
          ": it may be damaged. Remove " + dir.path_of(journal_file) + " and " + dir.path_of(unsynced_file) +
          " to start anew (the history is lost and everything runs once more)");
}

result<void> mark_unsynced(const state_dir& dir) {
  return note(dir, current_boot_id());
}

result<void> mark_lost(const state_dir& dir) {
  return note(dir, mark_of_loss);
}

result<void> clear_unsynced(const state_dir& dir) {
  if (!is_marked_unsynced(dir))
    return {};
  if (auto removed = dir.remove(unsynced_file); !removed)
    return removed;
  return dir.sync();
}

result<void> sync_path(const state_dir& dir) {
  struct stat home {};
  if (::fstat(dir.descriptor(), &home) != 0)
    return state_error(dir.path(), "bring it to disk", errno);
  struct stat below = home;
  unique_fd at;
  for (int fd = dir.descriptor();; fd = at.get()) {
    if (::fsync(fd) != 0)
      return state_error(dir.path(), "bring it to disk", errno);
    unique_fd above(::openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!above && errno == EACCES) // a folder that one may write in and not read: then all of the disk
      return ::syncfs(dir.descriptor()) == 0 ? result<void>() : state_error(dir.path(), "bring it to disk", errno);
    struct stat info {};
    if (!above || ::fstat(above.get(), &info) != 0)
      return state_error(dir.path(), "bring it to disk", errno);
    if (info.st_dev != home.st_dev)
      return {}; // that is another disk, on which nothing was made
    if (info.st_dev == below.st_dev && info.st_ino == below.st_ino)
      return {}; // the root
    below = info;
    at = std::move(above);
  }
}

} // namespace troupe_internal
