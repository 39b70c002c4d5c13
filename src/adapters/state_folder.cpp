// mkdir, statfs, fsync.
#include "adapters/state_folder.hpp"

#include "adapters/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace troupe {

error state_error(const std::string& folder, const std::string& what, int error_number) {
  auto text = "state " + folder + ": cannot " + what + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT)
    text += ": free space and run again, or name a folder on another disk with --state or engine.state_dir";
  else if (error_number == EROFS)
    text += ": name a folder that can be written with --state or engine.state_dir";
  return fail(error_code::state_unusable, std::move(text));
}

namespace {

constexpr const char* mark_of_loss = "lost";

std::string read_some(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return {};
  std::string text;
  char buffer[4096];
  // /proc answers in pieces.
  for (ssize_t n = 0; text.size() < 65536 && (n = ::read(file.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

result<void> write_file(const std::string& folder, const std::string& name, std::string_view text) {
  const auto path = folder + "/" + name;
  const unique_fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file)
    return state_error(folder, "make " + name, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return state_error(folder, "write " + name, errno == 0 ? ENOSPC : errno);
  if (::fsync(file.get()) != 0)
    return state_error(folder, "write " + name, errno);
  return {};
}

/// The same, but a crash leaves what was there before, or all of the new.
result<void> replace_file(const std::string& folder, const std::string& name, std::string_view text) {
  const auto draft = name + ".new";
  if (auto written = write_file(folder, draft, text); !written)
    return written;
  if (::rename((folder + "/" + draft).c_str(), (folder + "/" + name).c_str()) != 0)
    return state_error(folder, "make " + name, errno);
  return {};
}

/// Whether a folder holds nothing, or a .gitignore alone.
bool holds_nothing_else(const std::string& folder) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().filename() != ".gitignore")
      return false;
  return !failed;
}

} // namespace

bool may_become_state(const std::string& folder) {
  return ::access(folder.c_str(), F_OK) != 0 || holds_nothing_else(folder) ||
         ::access((folder + "/lock").c_str(), F_OK) == 0;
}

result<void> make_state_folder(const std::string& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) == 0) {
    if (!S_ISDIR(st.st_mode))
      return state_error(folder, "use it", ENOTDIR);
    return {};
  }
  const auto parent = std::filesystem::path(folder).lexically_normal().parent_path().string();
  std::error_code failed;
  if (!parent.empty())
    std::filesystem::create_directories(parent, failed);
  if (failed)
    return state_error(folder, "make its parent folder", failed.value());
  // Made under another name and renamed when it is whole: a folder that is there is taken as it is, so a crash must not
  // leave one that git does not ignore.
  const auto draft = (std::filesystem::path(folder) / "").lexically_normal().parent_path().string() + ".new";
  if (::mkdir(draft.c_str(), 0700) != 0 && (errno != EEXIST || !holds_nothing_else(draft)))
    return state_error(folder, "make the folder (as " + draft + " first)", errno);
  auto made = require_local(draft);
  if (made)
    made = write_file(draft, ".gitignore", "*\n");
  if (made && ::rename(draft.c_str(), folder.c_str()) != 0)
    made = state_error(folder, "make the folder", errno);
  if (!made) {
    ::unlink((draft + "/.gitignore").c_str());
    ::rmdir(draft.c_str());
    const bool somebody_else_did = ::stat(folder.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    return somebody_else_did ? result<void>() : made;
  }
  return {}; // its entries come to disk with the journal
}

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

result<void> require_local(const std::string& folder) {
  struct statfs st {};
  if (::statfs(folder.c_str(), &st) != 0)
    return state_error(folder, "use it", errno);
  const auto* name = network_file_system(static_cast<std::uint64_t>(st.f_type));
  if (name == nullptr)
    return {};
  return fail(error_code::state_unusable,
              "state " + folder + " lies on a network file system (" + name +
                  "), where a journal cannot be kept safely: name a folder on a local disk with --state or "
                  "engine.state_dir");
}

std::string current_boot_id() {
  auto id = read_some("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n')
    id.pop_back();
  return id;
}

bool is_marked_unsynced(const std::string& folder) {
  return ::access((folder + "/unsynced").c_str(), F_OK) == 0;
}

result<void> require_trustworthy(const std::string& folder) {
  if (!is_marked_unsynced(folder))
    return {};
  auto mark = read_some(folder + "/unsynced");
  while (!mark.empty() && mark.back() == '\n')
    mark.pop_back();
  if (!mark.empty() && mark == current_boot_id())
    return {}; // only the process died: the kernel still has every commit
  return fail(
      error_code::state_unusable,
      "state " + folder + " was written with durability none, and " +
          (mark == mark_of_loss ? "then could not be brought to disk" : "the machine went down before it was closed") +
          ": it may be damaged. Remove " + folder + "/journal.mdb and " + folder +
          "/unsynced to start anew (the history is lost and everything runs once more)");
}

result<void> mark_unsynced(const std::string& folder) {
  if (auto written = replace_file(folder, "unsynced", current_boot_id() + "\n"); !written)
    return written;
  return sync_folder(folder);
}

result<void> mark_lost(const std::string& folder) {
  if (auto written = replace_file(folder, "unsynced", std::string(mark_of_loss) + "\n"); !written)
    return written;
  return sync_folder(folder);
}

result<void> clear_unsynced(const std::string& folder) {
  if (::unlink((folder + "/unsynced").c_str()) != 0)
    return errno == ENOENT ? result<void>() : state_error(folder, "remove its mark \"unsynced\"", errno);
  return sync_folder(folder);
}

result<void> sync_folder(const std::string& folder) {
  const unique_fd handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle || ::fsync(handle.get()) != 0)
    return state_error(folder, "bring it to disk", errno);
  return {};
}

result<void> sync_path(const std::string& folder) {
  std::error_code failed;
  auto at = std::filesystem::canonical(folder, failed);
  const unique_fd bottom(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat home {};
  if (failed || !bottom || ::fstat(bottom.get(), &home) != 0)
    return state_error(folder, "bring it to disk", failed ? failed.value() : errno);
  for (;; at = at.parent_path()) {
    const unique_fd handle(::open(at.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat st {};
    if (!handle && errno == EACCES) // a folder that one may write in and not read: then all of the disk
      return ::syncfs(bottom.get()) == 0 ? result<void>() : state_error(folder, "bring it to disk", errno);
    if (!handle || ::fstat(handle.get(), &st) != 0)
      return state_error(folder, "bring it to disk", errno);
    if (st.st_dev != home.st_dev)
      return {}; // that is another disk, on which nothing was made
    if (::fsync(handle.get()) != 0)
      return state_error(folder, "bring it to disk", errno);
    if (!at.has_relative_path())
      return {};
  }
}

} // namespace troupe
