// posix_spawn with the input and the messages in memory files: only the output is a pipe, so nothing can block on
// another, and no signal tells of a reader that left.
#include "adapters/process/text_filter.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_fd.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>

extern char** environ;

namespace troupe_internal {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t most_told = 2000; // bytes of a program's messages that stand in an error

error cannot(const std::string& program, int error_number) {
  return posix_error("run", program, error_number);
}

std::optional<int> write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR)
      return errno;
    done += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  return lseek(fd, 0, SEEK_SET) < 0 ? std::optional(errno) : std::nullopt;
}

std::string messages_in(int fd) {
  std::string text(most_told, '\0');
  const ssize_t n = pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

/// The spawn attributes and actions, which must be destroyed.
class spawn_plan {
public:
  spawn_plan(int in, int out, int messages) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_adddup2(&actions_, in, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, 1);
    posix_spawn_file_actions_adddup2(&actions_, messages, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGHUP})
      sigaddset(&defaults, signal);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~spawn_plan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;

  int spawn(const std::vector<std::string>& argv, pid_t& pid) const {
    std::vector<char*> words;
    for (const auto& word : argv)
      words.push_back(const_cast<char*>(word.c_str())); // posix_spawn's signature; it changes nothing
    words.push_back(nullptr);
    return posix_spawnp(&pid, words.front(), &actions_, &attributes_, words.data(), environ);
  }

private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Reads to the end of the pipe; nullopt if the deadline came first.
std::optional<std::string> read_until(int fd, steady::time_point deadline) {
  std::string text;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady::now()).count();
    pollfd wanted{fd, POLLIN, 0};
    const int ready = left <= 0 ? 0 : poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready == 0 && steady::now() >= deadline)
      return std::nullopt;
    if (ready <= 0)
      continue;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n == 0 || (n < 0 && errno != EINTR))
      return text; // a read error of a pipe ends it: the exit status tells the rest
    if (n > 0)
      text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

/// The wait status; nullopt if the process was still there at the deadline and had to be killed.
std::optional<int> wait_until(pid_t pid, steady::time_point deadline) {
  int status = 0;
  for (pid_t ended = 0; (ended = waitpid(pid, &status, WNOHANG)) != pid;) {
    if (ended < 0 && errno != EINTR)
      return std::nullopt;
    if (steady::now() >= deadline) {
      kill(pid, SIGKILL);
      while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
      }
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1)); // its output has ended: it is about to
  }
  return status;
}

} // namespace

result<std::string> run_text_filter(const std::vector<std::string>& argv, const std::string& input, duration timeout) {
  const std::string& program = argv.front();
  const auto deadline = steady::now() + timeout;
  unique_fd in(memfd_create("troupe input", MFD_CLOEXEC));
  unique_fd messages(memfd_create("troupe messages", MFD_CLOEXEC));
  int ends[2] = {-1, -1};
  if (!in || !messages || pipe2(ends, O_CLOEXEC) != 0)
    return cannot(program, errno);
  unique_fd out(ends[0]);
  unique_fd into(ends[1]);
  if (const auto failed = write_all(in.get(), input))
    return cannot(program, *failed);
  for (unique_fd* fd : {&in, &messages, &out, &into})
    if (!fd->lift_above_standard())
      return cannot(program, errno);
  pid_t pid = 0;
  if (const int failed = spawn_plan(in.get(), into.get(), messages.get()).spawn(argv, pid)) {
    if (failed == ENOENT)
      return fail(error_code::not_found, "there is no program " + program);
    return cannot(program, failed);
  }
  into.reset();
  const auto text = read_until(out.get(), deadline);
  const auto status = wait_until(pid, text ? deadline : steady::now());
  if (!text || !status)
    return fail(error_code::io, program + " took longer than " + to_human(timeout) + " and was ended");
  if (WIFSIGNALED(*status))
    return fail(error_code::io, program + " was ended by signal " + std::to_string(WTERMSIG(*status)));
  if (const int code = WEXITSTATUS(*status); code != 0) {
    const std::string said = messages_in(messages.get());
    return fail(error_code::io,
                program + " failed with exit status " + std::to_string(code) + (said.empty() ? "" : ": " + said));
  }
  return *text;
}

} // namespace troupe_internal
