// fcntl(F_OFD_SETLK). The lock belongs to the open file, so a child has it too until its copy is closed.
#include "adapters/state_lock.hpp"

#include "adapters/process_table.hpp"
#include "adapters/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

namespace troupe {
namespace {

using steady = std::chrono::steady_clock;

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

std::string own_command_line() {
  const unique_fd file(::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
  auto line = read_some(file.get()).substr(0, 4096);
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

result<void> take_lock(const std::string& folder, int fd, duration patience_with_starts) {
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

result<state_lock> lock_state(const std::string& folder, duration patience) {
  if (auto made = make_state_folder(folder); !made)
    return made.error();
  if (auto local = require_local(folder); !local)
    return local.error();
  const auto path = folder + "/lock";
  unique_fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file)
    return state_error(folder, "open its lock", errno);
  if (auto taken = take_lock(folder, file.get(), patience); !taken)
    return taken.error();
  const auto text = "pid " + std::to_string(::getpid()) + "\nstart_ticks " +
                    std::to_string(process_start_ticks(::getpid()).value_or(0)) + "\npid_namespace " +
                    std::to_string(own_pid_namespace()) + "\ncommand " + own_command_line() + "\n";
  // For people and for `cancel`; the lock itself does not depend on it, so a disk that is full is no reason to stop
  // here.
  if (::ftruncate(file.get(), 0) == 0)
    static_cast<void>(::pwrite(file.get(), text.data(), text.size(), 0) == 0);
  return state_lock(folder, std::move(file));
}

namespace {

/// A descriptor of the lock's file if another process holds it; else none.
unique_fd held_lock(const std::string& folder) {
  unique_fd file(::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  auto range = whole_file(F_RDLCK);
  if (!file || ::fcntl(file.get(), F_OFD_GETLK, &range) != 0 || range.l_type == F_UNLCK)
    return {};
  return file;
}

} // namespace

bool is_held(const std::string& folder) {
  return holder_of(folder).has_value();
}

std::optional<lock_holder> holder_of(const std::string& folder) {
  const auto file = held_lock(folder);
  if (!file)
    return std::nullopt;
  auto seen = await_holder(file.get());
  if (seen.state == life::ended)
    return std::nullopt;
  return std::move(seen.who);
}

} // namespace troupe
