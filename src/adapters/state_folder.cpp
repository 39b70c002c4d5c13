// mkdir, fcntl(F_OFD_SETLK), statfs, fsync.
#include "adapters/state_folder.hpp"

#include "adapters/process_table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

using steady = std::chrono::steady_clock;

error cannot(const std::string& folder, const std::string& what, int code) {
  auto text = "state " + folder + ": cannot " + what + ": " + std::strerror(code);
  if (code == ENOSPC || code == EDQUOT)
    text += ": free space and run again, or name a folder on another disk with --state or engine.state_dir";
  else if (code == EROFS)
    text += ": name a folder that can be written with --state or engine.state_dir";
  return fail(error_code::state_unusable, std::move(text));
}

constexpr const char* mark_of_loss = "lost";
constexpr unsigned look_for_holder_every_us = 2'000;
constexpr auto patience_with_words =
    std::chrono::milliseconds(100); // of a holder of whom the file tells nothing true yet

class file_handle {
public:
  explicit file_handle(int fd) : fd_(fd) {}
  ~file_handle() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

private:
  int fd_;
};

/// At most `limit` bytes of a small file; what cannot be read is missing.
std::string read_some(int fd, std::size_t limit = 8192) {
  std::string text(limit, '\0');
  const auto n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

std::string read_some(const std::string& path) {
  const file_handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
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
  const file_handle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.get() < 0)
    return cannot(folder, "make " + name, errno);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return cannot(folder, "write " + name, errno == 0 ? ENOSPC : errno);
  if (::fsync(file.get()) != 0)
    return cannot(folder, "write " + name, errno);
  return {};
}

/// The same, but a crash leaves what was there before, or all of the new.
result<void> replace_file(const std::string& folder, const std::string& name, std::string_view text) {
  const auto draft = name + ".new";
  if (auto written = write_file(folder, draft, text); !written)
    return written;
  if (::rename((folder + "/" + draft).c_str(), (folder + "/" + name).c_str()) != 0)
    return cannot(folder, "make " + name, errno);
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

std::string own_command_line() {
  auto line = read_some("/proc/self/cmdline").substr(0, 4096);
  for (auto& c : line)
    if (static_cast<unsigned char>(c) < ' ')
      c = ' ';
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return line;
}

std::string_view line_value(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size();) {
    auto line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return line.substr(key.size() + 1);
  }
  return {};
}

std::uint64_t own_pid_namespace() {
  struct stat st {};
  return ::stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

lock_holder read_holder(int fd) {
  const auto text = read_some(fd);
  const auto number = [&](std::string_view key, auto& value) {
    const auto digits = line_value(text, key);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
  };
  lock_holder holder;
  number("pid", holder.pid);
  number("start_ticks", holder.start_ticks);
  number("pid_namespace", holder.pid_namespace);
  holder.command = line_value(text, "command");
  struct stat st {};
  if (::fstat(fd, &st) == 0) // written when it was taken
    holder.since = from_unix_ns(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec);
  return holder;
}

enum class life { lives, ended, unknown };

life life_of(const lock_holder& holder) {
  if (holder.pid == 0 || holder.start_ticks == 0)
    return life::unknown;
  const auto process = read_process_facts(holder.pid);
  const bool dead = !process || process->start_ticks != holder.start_ticks || process->state == 'X' ||
                    (process->state == 'Z' && process->threads <= 1); // its first thread alone may have ended
  if (!dead)
    return life::lives;
  return holder.pid_namespace != 0 && holder.pid_namespace == own_pid_namespace() ? life::ended : life::unknown;
}

struct seen_holder {
  lock_holder who;
  life state = life::unknown;
};

seen_holder see_holder(int fd) {
  auto who = read_holder(fd);
  const auto state = life_of(who);
  return {std::move(who), state};
}

/// Who holds the lock that another process has just been seen to hold. Whoever takes it writes its words next: until
/// then those of the one before it stand there, or half of either.
seen_holder await_holder(int fd) {
  const auto until = steady::now() + patience_with_words;
  for (;;) {
    const auto seen = see_holder(fd);
    if (seen.state == life::lives || steady::now() >= until)
      return seen; // not seen to live: of another pid namespace, or it has ended and a command it was starting has it
    ::usleep(look_for_holder_every_us);
  }
}

std::string words_on(const lock_holder& holder) {
  auto who = holder.pid != 0 ? "process " + std::to_string(holder.pid) : std::string("another process");
  if (!holder.command.empty())
    who += " (" + holder.command + ")";
  return who;
}

struct flock whole_file(short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  return range;
}

result<void> make_folder(const std::string& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) == 0) {
    if (!S_ISDIR(st.st_mode))
      return cannot(folder, "use it", ENOTDIR);
    return {};
  }
  const auto parent = std::filesystem::path(folder).lexically_normal().parent_path().string();
  std::error_code failed;
  if (!parent.empty())
    std::filesystem::create_directories(parent, failed);
  if (failed)
    return cannot(folder, "make its parent folder", failed.value());
  // Made under another name and renamed when it is whole: a folder that is there is taken as it is, so a crash must not
  // leave one that git does not ignore.
  const auto draft = (std::filesystem::path(folder) / "").lexically_normal().parent_path().string() + ".new";
  if (::mkdir(draft.c_str(), 0700) != 0 && (errno != EEXIST || !holds_nothing_else(draft)))
    return cannot(folder, "make the folder (as " + draft + " first)", errno);
  auto made = require_local(draft);
  if (made)
    made = write_file(draft, ".gitignore", "*\n");
  if (made && ::rename(draft.c_str(), folder.c_str()) != 0)
    made = cannot(folder, "make the folder", errno);
  if (!made) {
    ::unlink((draft + "/.gitignore").c_str());
    ::rmdir(draft.c_str());
    const bool somebody_else_did = ::stat(folder.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    return somebody_else_did ? result<void>() : made;
  }
  return {}; // its entries come to disk with the journal
}

result<void> take_lock(const std::string& folder, int fd, duration patience_with_starts) {
  const auto began = steady::now();
  for (;;) {
    auto range = whole_file(F_WRLCK);
    if (::fcntl(fd, F_OFD_SETLK, &range) == 0)
      return {};
    if (errno != EAGAIN && errno != EACCES)
      return cannot(folder, "lock it", errno);
    const auto seen = see_holder(fd);
    const auto waited = steady::now() - began;
    if (seen.state == life::lives || (seen.state == life::unknown && waited >= patience_with_words))
      return fail(error_code::state_locked, "state " + folder + " is in use by " + words_on(seen.who) + ", since " +
                                                to_rfc3339(seen.who.since) +
                                                "; wait for it, or end it with `troupe cancel`");
    if (waited >= patience_with_starts)
      return fail(error_code::state_locked, "state " + folder + " is still held by a command that " +
                                                words_on(seen.who) +
                                                " was starting when it ended, and that does not get to run; `fuser " +
                                                folder + "/lock` tells which process it is: end that one");
    ::usleep(look_for_holder_every_us);
  }
}

} // namespace

state_lock::state_lock(state_lock&& other) noexcept
    : folder_(std::move(other.folder_)), fd_(std::exchange(other.fd_, -1)) {}

state_lock& state_lock::operator=(state_lock&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(fd_, other.fd_);
  return *this;
}

state_lock::~state_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

result<state_lock> lock_state(const std::string& folder, duration patience) {
  if (auto made = make_folder(folder); !made)
    return made.error();
  if (auto local = require_local(folder); !local)
    return local.error();
  const auto path = folder + "/lock";
  file_handle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0)
    return cannot(folder, "open its lock", errno);
  if (auto taken = take_lock(folder, file.get(), patience); !taken)
    return taken.error();
  const auto text = "pid " + std::to_string(::getpid()) + "\nstart_ticks " +
                    std::to_string(process_start_ticks(::getpid()).value_or(0)) + "\npid_namespace " +
                    std::to_string(own_pid_namespace()) + "\ncommand " + own_command_line() + "\n";
  // For people and for `cancel`; the lock itself does not depend on it, so a disk that is full is no reason to stop
  // here.
  if (::ftruncate(file.get(), 0) == 0)
    static_cast<void>(::pwrite(file.get(), text.data(), text.size(), 0) == 0);
  return state_lock(folder, file.release());
}

namespace {

/// A descriptor of the lock's file if another process holds it; else none.
file_handle held_lock(const std::string& folder) {
  file_handle file(::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  auto range = whole_file(F_RDLCK);
  if (file.get() < 0 || ::fcntl(file.get(), F_OFD_GETLK, &range) != 0 || range.l_type == F_UNLCK)
    return file_handle(-1);
  return file_handle(file.release());
}

} // namespace

bool is_held(const std::string& folder) {
  return holder_of(folder).has_value();
}

std::optional<lock_holder> holder_of(const std::string& folder) {
  const auto file = held_lock(folder);
  if (file.get() < 0)
    return std::nullopt;
  auto seen = await_holder(file.get());
  if (seen.state == life::ended)
    return std::nullopt;
  return std::move(seen.who);
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
    return cannot(folder, "use it", errno);
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
    return errno == ENOENT ? result<void>() : cannot(folder, "remove its mark \"unsynced\"", errno);
  return sync_folder(folder);
}

result<void> sync_folder(const std::string& folder) {
  const file_handle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || ::fsync(handle.get()) != 0)
    return cannot(folder, "bring it to disk", errno);
  return {};
}

result<void> sync_path(const std::string& folder) {
  std::error_code failed;
  auto at = std::filesystem::canonical(folder, failed);
  const file_handle bottom(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat home {};
  if (failed || bottom.get() < 0 || ::fstat(bottom.get(), &home) != 0)
    return cannot(folder, "bring it to disk", failed ? failed.value() : errno);
  for (;; at = at.parent_path()) {
    const file_handle handle(::open(at.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat st {};
    if (handle.get() < 0 && errno == EACCES) // a folder that one may write in and not read: then all of the disk
      return ::syncfs(bottom.get()) == 0 ? result<void>() : cannot(folder, "bring it to disk", errno);
    if (handle.get() < 0 || ::fstat(handle.get(), &st) != 0)
      return cannot(folder, "bring it to disk", errno);
    if (st.st_dev != home.st_dev)
      return {}; // that is another disk, on which nothing was made
    if (::fsync(handle.get()) != 0)
      return cannot(folder, "bring it to disk", errno);
    if (!at.has_relative_path())
      return {};
  }
}

} // namespace troupe
