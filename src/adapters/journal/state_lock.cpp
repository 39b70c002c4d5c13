// fcntl(F_OFD_SETLK), flock. Both locks belong to the open file, so a child has them too until its copies are closed.
#include "adapters/journal/state_lock.hpp"

#include "adapters/process/process_place.hpp"
#include "adapters/process/process_table.hpp"
#include "adapters/state/state_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

namespace troupe_internal {
namespace {

using steady = std::chrono::steady_clock;

constexpr const char* lock_file = "lock";
constexpr int tries_with_a_removed_file = 10;
constexpr unsigned look_for_holder_every_us = 2'000;
/// With a holder of whom the file tells nothing true yet.
constexpr auto patience_with_words = std::chrono::milliseconds(100);

/// The first `limit` bytes; what cannot be read is missing.
std::string read_some(int fd, std::size_t limit = 8192) {
  std::string text(limit, '\0');
  const auto n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

std::string& own_command() {
  // Never destroyed: a program may have an engine in a static variable, which outlives what was made after it.
  static auto& command = *new std::string("troupe");
  return command;
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

lock_holder parse_holder(const std::string& text) {
  const auto number = [&](std::string_view key, auto& value) {
    const auto digits = line_value(text, key);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
  };
  lock_holder holder;
  number("pid", holder.pid);
  number("start_ticks", holder.start_ticks);
  holder.where = line_value(text, "where");
  holder.host = line_value(text, "host");
  holder.command = line_value(text, "command");
  return holder;
}

lock_holder read_holder(int fd) {
  auto holder = parse_holder(read_some(fd));
  struct stat st {};
  if (::fstat(fd, &st) == 0) // written when it was taken
    holder.since = from_unix_ns(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec);
  return holder;
}

life life_of_holder(const lock_holder& holder) {
  const auto where = parse_place(holder.where);
  if (!where || holder.start_ticks == 0)
    return life::unknown;
  return life_of(holder.pid, holder.start_ticks, *where);
}

std::string own_host() {
  utsname name{};
  std::string host = ::uname(&name) == 0 ? name.nodename : "";
  for (auto& c : host)
    if (static_cast<unsigned char>(c) <= ' ')
      c = '_';
  return host;
}

struct seen_holder {
  lock_holder who;
  life state = life::unknown;
};

seen_holder see_holder(int fd) {
  auto who = read_holder(fd);
  const auto state = life_of_holder(who);
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

struct flock whole_file(short type) {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  return range;
}

result<void> take_lock(const std::string& folder, int fd, const lock_patience& patience) {
  const auto began = steady::now();
  for (;;) {
    auto range = whole_file(F_WRLCK);
    if (::fcntl(fd, F_OFD_SETLK, &range) == 0)
      return {};
    if (errno != EAGAIN && errno != EACCES)
      return state_error(folder, "lock it", errno);
    const auto seen = see_holder(fd);
    const auto waited = steady::now() - began;
    if (seen.state == life::lives || (seen.state == life::unknown && waited >= patience_with_words))
      return fail_while_held("state " + folder + " is in use by " + words_on(seen.who) + ", since " +
                             to_rfc3339(seen.who.since) + "; wait for it, or end it with `troupe cancel`");
    if (waited >= patience.longest || (patience.enough && patience.enough()))
      return fail(error_code::state_locked, "state " + folder + " is still held by a command that " +
                                                words_on(seen.who) +
                                                " was starting when it ended, and that does not get to run; `fuser " +
                                                folder + "/lock` tells which process it is: end that one");
    ::usleep(look_for_holder_every_us);
  }
}

/// The folder's own lock, for the holder of the file's.
result<void> take_folder(const state_dir& dir) {
  const auto began = steady::now();
  while (::flock(dir.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR)
      continue;
    if (errno != EWOULDBLOCK)
      return {};                                      // a file system without such locks: then the file's has to do
    if (steady::now() - began >= patience_with_words) // who only looks lets go of it at once
      return fail_while_held("state " + dir.path() + " is in use by another process, whose lock file (" +
                             dir.path_of(lock_file) +
                             ") was removed or replaced while it runs. Wait until that process has ended; `fuser " +
                             dir.path() + "` tells which it is");
    ::usleep(look_for_holder_every_us);
  }
  return {};
}

/// For people, for `cancel` and for who comes after our death; the lock itself does not depend on it, so a disk that is
/// full is no reason to stop here. Written before what is there is cut off: words of a dead holder must not stand
/// alone.
void write_words(int fd, const std::string& text) {
  if (::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()))
    static_cast<void>(::ftruncate(fd, static_cast<off_t>(text.size())) == 0);
  else
    static_cast<void>(::ftruncate(fd, 0) == 0);
}

} // namespace

std::string words_on(const lock_holder& holder) {
  auto who = holder.pid != 0 ? "process " + std::to_string(holder.pid) : std::string("another process");
  if (const auto where = parse_place(holder.where); where && is_another_namespace(*where))
    who += " of another PID namespace (a container)" + (holder.host.empty() ? "" : ", on host " + holder.host);
  if (!holder.command.empty())
    who += " (" + holder.command + ")";
  return who;
}

void name_lock_holder(std::string command) {
  own_command() = std::move(command);
}

lock_holder holder_before(const std::string& words) {
  return parse_holder(words);
}

void put_back_words(const state_dir& dir, const std::string& words) {
  if (const auto file = dir.open(lock_file, entry_use::write))
    write_words(file->get(), words);
}

state_lock::state_lock(state_dir::handle dir, std::string words_before, std::string words, unique_fd fd)
    : dir_(std::move(dir)), words_before_(std::move(words_before)), words_(std::move(words)), fd_(std::move(fd)),
      taken_by_(::getpid()) {}

state_lock& state_lock::operator=(state_lock&& other) noexcept {
  std::swap(dir_, other.dir_);
  std::swap(words_before_, other.words_before_);
  std::swap(words_, other.words_);
  std::swap(fd_, other.fd_);
  std::swap(taken_by_, other.taken_by_);
  return *this;
}

state_lock::~state_lock() {
  // Closing alone would leave it to a command that another run of this process is starting just now. In a fork of it
  // the lock is not ours to give back.
  if (!fd_ || taken_by_ != ::getpid())
    return;
  auto range = whole_file(F_UNLCK);
  // Words of others were put back there, for who comes next.
  if (read_some(fd_.get()) == words_)
    static_cast<void>(::ftruncate(fd_.get(), 0) == 0);
  ::flock(dir_->descriptor(), LOCK_UN);
  static_cast<void>(::fcntl(fd_.get(), F_OFD_SETLK, &range));
}

result<state_lock> lock_state(const std::string& folder, const lock_patience& patience) {
  for (int i = 0; i < tries_with_a_removed_file; ++i) {
    auto dir = state_dir::open_or_make(folder);
    if (!dir)
      return dir.error();
    bool made = false;
    auto file = (*dir)->open_or_make(lock_file, made);
    if (!file && file.error().code == error_code::not_found)
      continue;
    if (!file)
      return file.error();
    if (auto taken = take_lock(folder, file->get(), patience); !taken)
      return taken.error();
    if (auto taken = take_folder(**dir); !taken) {
      if (made)
        static_cast<void>((*dir)->remove(lock_file)); // else it would look as if nobody held the state
      return taken.error();
    }
    struct stat own {};
    const auto there = (*dir)->look(lock_file);
    if (::fstat(file->get(), &own) != 0 || !there || there->st_ino != own.st_ino || there->st_dev != own.st_dev)
      continue; // it was removed while it was opened: who comes next would open another
    if (!(*dir)->is_marked())
      if (auto marked = (*dir)->mark(); !marked)
        return marked.error();
    auto before = read_some(file->get());
    const auto where = own_place();
    const auto start_ticks = where ? process_start_ticks(::getpid()).value_or(0) : 0;
    auto words = "pid " + std::to_string(::getpid()) + "\nstart_ticks " + std::to_string(start_ticks) + "\nwhere " +
                 (where ? to_text(*where) : "unknown") + "\nhost " + own_host() + "\ncommand " + own_command() + "\n";
    write_words(file->get(), words);
    return state_lock(std::move(*dir), std::move(before), std::move(words), std::move(*file));
  }
  return fail(error_code::state_unusable, "state " + folder + ": something removes its lock file (" + folder + "/" +
                                              lock_file +
                                              ") again and again: nothing was changed. Find what does, and run again");
}

namespace {

struct seen_lock {
  bool held = false;
  unique_fd file; ///< with the holder's words; none: it was removed
};

seen_lock look_at_lock(const state_dir& dir) {
  auto file = dir.open(lock_file, entry_use::read);
  auto range = whole_file(F_RDLCK);
  if (file && ::fcntl(file->get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK)
    return {true, std::move(*file)};
  // The file may have been removed or replaced. By an opening of its own: the holder may be of this process.
  const unique_fd folder(::openat(dir.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return {};
  if (::flock(folder.get(), LOCK_SH | LOCK_NB) != 0)
    return {errno == EWOULDBLOCK, {}};
  ::flock(folder.get(), LOCK_UN);
  return {};
}

/// Who holds it, and what is known of that process.
std::optional<seen_holder> look_for_holder(const state_dir& dir) {
  const auto seen = look_at_lock(dir);
  if (!seen.held)
    return std::nullopt;
  return seen.file ? await_holder(seen.file.get()) : seen_holder{};
}

} // namespace

bool is_locked(const state_dir& dir) {
  return look_at_lock(dir).held;
}

bool is_held(const std::string& folder) {
  return holder_of(folder).has_value();
}

std::optional<lock_holder> holder_of(const state_dir& dir) {
  auto seen = look_for_holder(dir);
  if (!seen || seen->state == life::ended)
    return std::nullopt;
  return std::move(seen->who);
}

std::optional<lock_holder> holder_of(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  return dir ? holder_of(**dir) : std::nullopt;
}

std::optional<lock_holder> living_holder_of(const std::string& folder) {
  const auto dir = state_dir::open(folder);
  auto seen = dir ? look_for_holder(**dir) : std::nullopt;
  if (!seen || seen->state != life::lives)
    return std::nullopt;
  return std::move(seen->who);
}

} // namespace troupe_internal
