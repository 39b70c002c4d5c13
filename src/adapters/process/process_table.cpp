// Reads /proc; a process may be gone at any moment, which is an answer, not an error.
#include "adapters/process/process_table.hpp"

#include "adapters/system/unique_dir.hpp"
#include "adapters/system/unique_fd.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace troupe_internal {
namespace {

// Field 9 of /proc/PID/stat.
constexpr std::uint64_t exiting_flag = 0x4;               // PF_EXITING
constexpr std::uint64_t kernel_thread_flag = 0x0020'0000; // PF_KTHREAD

using proc_path = std::array<char, 48>;

proc_path path_of(pid_t pid, const char* file) {
  proc_path path;
  std::snprintf(path.data(), path.size(), "/proc/%ld/%s", static_cast<long>(pid), file);
  return path;
}

/// The number at the front of `text`, which is moved behind it and the blank after it.
template <class Integer>
Integer take_number(std::string_view& text) {
  Integer value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty())
    text.remove_prefix(1);
  return problem == std::errc() ? value : Integer{};
}

void skip_fields(std::string_view& text, int count) {
  for (; count > 0; --count) {
    const auto blank = text.find(' ');
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
}

/// After a failed call: neither that the process has gone nor that it may not be looked at. The former shows as ESRCH
/// where its file had been opened before.
void doubt_unless_gone(bool* in_doubt) {
  const bool told = errno == ENOENT || errno == ESRCH || errno == EACCES || errno == EPERM;
  if (!told && in_doubt != nullptr)
    *in_doubt = true;
}

std::optional<std::string> read_all(const char* path, bool* in_doubt = nullptr) {
  const unique_fd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) {
    doubt_unless_gone(in_doubt);
    return std::nullopt;
  }
  std::string all;
  std::array<char, 8192> buffer;
  for (;;) {
    const auto got = read(fd.get(), buffer.data(), buffer.size());
    if (got == 0)
      return all;
    if (got > 0)
      all.append(buffer.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR) {
      doubt_unless_gone(in_doubt);
      return std::nullopt; // the process ended
    }
  }
}

} // namespace

std::optional<process_facts> read_process_facts(pid_t pid, bool* in_doubt) {
  const unique_fd fd(open(path_of(pid, "stat").data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer;
  const auto got = fd ? read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (got <= 0) {
    if (got < 0)
      doubt_unless_gone(in_doubt);
    return std::nullopt;
  }
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  const auto name_end = text.rfind(')'); // the name may hold anything, parentheses and blanks too
  if (name_end == std::string_view::npos || name_end + 4 > text.size())
    return std::nullopt;
  process_facts facts;
  facts.pid = pid;
  facts.state = text[name_end + 2];
  text.remove_prefix(name_end + 4);
  facts.parent = take_number<pid_t>(text);
  facts.group = take_number<pid_t>(text);
  facts.session = take_number<pid_t>(text);
  skip_fields(text, 2); // terminal and its group
  const auto flags = take_number<std::uint64_t>(text);
  facts.kernel_thread = (flags & kernel_thread_flag) != 0;
  facts.exiting = (flags & exiting_flag) != 0;
  skip_fields(text, 10); // faults, times, priority, nice
  facts.threads = take_number<long>(text);
  skip_fields(text, 1);
  facts.start_ticks = take_number<std::uint64_t>(text);
  skip_fields(text, 3); // memory
  facts.code_start = take_number<std::uint64_t>(text);
  skip_fields(text, 23); // end of code, signals, scheduling, data, arguments
  facts.environment_start = take_number<std::uint64_t>(text);
  facts.environment_end = take_number<std::uint64_t>(text);
  return facts;
}

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  if (const auto facts = read_process_facts(pid))
    return facts->start_ticks;
  return std::nullopt;
}

std::optional<std::string> read_process_environment(pid_t pid, bool* in_doubt) {
  return read_all(path_of(pid, "environ").data(), in_doubt);
}

std::optional<std::string> read_settled_environment(const process_facts& facts, bool* in_doubt) {
  constexpr int looks = 10;
  static const bool told = read_process_facts(getpid()).value_or(process_facts()).code_start != 0;
  for (int look = 0; look < looks; ++look) {
    auto environment = read_process_environment(facts.pid, in_doubt);
    if (!environment || !environment->empty() || facts.kernel_thread || !told)
      return environment;
    // Started with none, without memory, or in exec: then the new memory is there, and what it will hold is not.
    const auto now = read_process_facts(facts.pid, in_doubt);
    if (!now || now->exiting || now->dead() || (now->code_start != 0 && now->environment_start == now->environment_end))
      return environment;
    usleep(500);
  }
  if (in_doubt != nullptr)
    *in_doubt = true;
  errno = EAGAIN;
  return std::nullopt;
}

bool environment_has(std::string_view environment, std::string_view entry) {
  for (auto at = environment.find(entry); at != std::string_view::npos; at = environment.find(entry, at + 1)) {
    const auto end = at + entry.size();
    if ((at == 0 || environment[at - 1] == '\0') && (end == environment.size() || environment[end] == '\0'))
      return true;
  }
  return false;
}

std::optional<uid_t> process_user(pid_t pid) {
  struct stat info;
  std::array<char, 32> path;
  std::snprintf(path.data(), path.size(), "/proc/%ld", static_cast<long>(pid));
  if (stat(path.data(), &info) != 0)
    return std::nullopt;
  return info.st_uid;
}

std::string process_name(pid_t pid) {
  auto name = read_all(path_of(pid, "comm").data()).value_or("");
  while (!name.empty() && name.back() == '\n')
    name.pop_back();
  return name;
}

std::vector<pid_t> process_children(pid_t pid) {
  std::vector<pid_t> pids;
  const unique_dir tasks(opendir(path_of(pid, "task").data()));
  while (const dirent* task = tasks ? readdir(tasks.get()) : nullptr) {
    if (task->d_name[0] < '1' || task->d_name[0] > '9')
      continue;
    std::array<char, 96> path;
    std::snprintf(path.data(), path.size(), "/proc/%ld/task/%.20s/children", static_cast<long>(pid), task->d_name);
    const auto text = read_all(path.data()).value_or("");
    for (std::string_view rest = text; !rest.empty();)
      if (const auto child = take_number<pid_t>(rest); child > 0)
        pids.push_back(child);
  }
  return pids;
}

std::vector<pid_t> all_processes(bool* in_doubt) {
  std::vector<pid_t> pids;
  const unique_dir dir(opendir("/proc"));
  if (!dir && in_doubt != nullptr)
    *in_doubt = true;
  while (const dirent* entry = dir ? readdir(dir.get()) : nullptr) {
    std::string_view name(entry->d_name);
    if (name.front() < '1' || name.front() > '9')
      continue;
    pids.push_back(take_number<pid_t>(name));
  }
  return pids;
}

std::string boot_id() {
  auto id = read_all("/proc/sys/kernel/random/boot_id").value_or("");
  while (!id.empty() && id.back() == '\n')
    id.pop_back();
  return id;
}

int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

} // namespace troupe_internal
