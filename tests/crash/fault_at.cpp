// Runs a program and lets one system call of it go wrong: the k-th, counted over all its threads and over its children
// up to their exec, of those named. Either the program is killed there, before or after the call has its effect, or the
// call fails with an error. Knows ptrace and system calls, nothing of the program; what it starts runs on untraced.
// (strace counts each thread by itself, so that many calls could not be reached with it.)
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr int cannot_trace = 77; ///< exit status where tracing is not permitted, or not known for this processor
constexpr int wrong_usage = 64;

#if defined(__x86_64__)

struct known_call {
  const char* name;
  long number;
  enum { path_first, path_second, descriptor, nothing } on;
};

constexpr std::array known_calls = std::to_array<known_call>({
    {"open", SYS_open, known_call::path_first},
    {"openat", SYS_openat, known_call::path_second},
    {"read", SYS_read, known_call::descriptor},
    {"pread64", SYS_pread64, known_call::descriptor},
    {"write", SYS_write, known_call::descriptor},
    {"pwrite64", SYS_pwrite64, known_call::descriptor},
    {"writev", SYS_writev, known_call::descriptor},
    {"pwritev", SYS_pwritev, known_call::descriptor},
    {"ftruncate", SYS_ftruncate, known_call::descriptor},
    {"fsync", SYS_fsync, known_call::descriptor},
    {"fdatasync", SYS_fdatasync, known_call::descriptor},
    {"msync", SYS_msync, known_call::nothing},
    {"clone", SYS_clone, known_call::nothing},
    {"clone3", SYS_clone3, known_call::nothing},
    {"fork", SYS_fork, known_call::nothing},
    {"vfork", SYS_vfork, known_call::nothing},
    {"execve", SYS_execve, known_call::path_first},
    {"waitid", SYS_waitid, known_call::nothing},
    {"wait4", SYS_wait4, known_call::nothing},
    {"epoll_wait", SYS_epoll_wait, known_call::nothing},
    {"unlink", SYS_unlink, known_call::path_first},
    {"unlinkat", SYS_unlinkat, known_call::path_second},
    {"linkat", SYS_linkat, known_call::path_second},
    {"rename", SYS_rename, known_call::path_first},
    {"renameat", SYS_renameat, known_call::path_second},
    {"renameat2", SYS_renameat2, known_call::path_second},
    {"mkdir", SYS_mkdir, known_call::path_first},
    {"mkdirat", SYS_mkdirat, known_call::path_second},
    {"mknodat", SYS_mknodat, known_call::path_second},
    {"mknod", SYS_mknod, known_call::path_first},
    {"rmdir", SYS_rmdir, known_call::path_first},
    {"mmap", SYS_mmap, known_call::nothing},
    {"pipe2", SYS_pipe2, known_call::nothing},
    {"eventfd2", SYS_eventfd2, known_call::nothing},
    {"epoll_create1", SYS_epoll_create1, known_call::nothing},
    {"epoll_ctl", SYS_epoll_ctl, known_call::nothing},
    {"pidfd_open", SYS_pidfd_open, known_call::nothing},
});

enum class fault { none, kill_before, kill_after, error };

struct orders {
  std::set<long> calls;
  std::string from_path; ///< nothing is counted before a file is opened whose path ends like this
  std::string on;        ///< only calls count whose path, or that of whose descriptor, has this in it
  unsigned long at = 0;  ///< 0: only count
  fault what = fault::none;
  int error_number = 0;
  const char* report = nullptr;
  char** program = nullptr;
};

struct tracee {
  bool failing = false; ///< its present call is the one that fails: at its end the error is put in
  bool killing = false; ///< its present call is the one after which the program is killed
};

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "fault_at: %s: %s\n", what, std::strerror(errno));
  std::exit(cannot_trace);
}

const known_call* find_call(long number) {
  for (const auto& call : known_calls)
    if (call.number == number)
      return &call;
  return nullptr;
}

std::string text_at(pid_t pid, unsigned long address) {
  std::array<char, 256> buffer{};
  for (std::size_t length = buffer.size() - 1; length > 0; length /= 2) { // the page after it may be missing
    iovec here{buffer.data(), length};
    iovec there{reinterpret_cast<void*>(address), length}; // an address of the other process
    const auto got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (got > 0 && std::memchr(buffer.data(), 0, static_cast<std::size_t>(got)) != nullptr)
      return buffer.data();
  }
  return {};
}

std::string path_of_descriptor(pid_t pid, int fd) {
  std::array<char, PATH_MAX> target{};
  const auto link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  const auto length = readlink(link.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

/// The path that a call means: relative to a folder's descriptor, or through /proc/self/fd, as LMDB is handed it.
std::string full_path(pid_t pid, int at, const std::string& path) {
  constexpr std::string_view by_descriptor = "/proc/self/fd/";
  if (path.starts_with(by_descriptor)) {
    const auto slash = path.find('/', by_descriptor.size());
    const auto folder = path_of_descriptor(pid, std::atoi(path.c_str() + by_descriptor.size()));
    return folder + (slash == std::string::npos ? "" : path.substr(slash));
  }
  return at == AT_FDCWD || path.starts_with('/') ? path : path_of_descriptor(pid, at) + "/" + path;
}

/// What the call is about: a path, or that of a descriptor.
std::string subject(pid_t pid, const known_call& call, const __ptrace_syscall_info& info) {
  switch (call.on) {
  case known_call::path_first:
    return full_path(pid, AT_FDCWD, text_at(pid, info.entry.args[0]));
  case known_call::path_second:
    return full_path(pid, static_cast<int>(info.entry.args[0]), text_at(pid, info.entry.args[1]));
  case known_call::descriptor:
    return path_of_descriptor(pid, static_cast<int>(info.entry.args[0]));
  case known_call::nothing:
    break;
  }
  return {};
}

void poke_register(pid_t pid, std::size_t offset, long value) {
  if (ptrace(PTRACE_POKEUSER, pid, reinterpret_cast<void*>(offset), reinterpret_cast<void*>(value)) != 0 &&
      errno != ESRCH)
    give_up("ptrace(POKEUSER)");
}

class tracer {
public:
  explicit tracer(const orders& with) : with_(with), counting_(with.from_path.empty()) {}

  int run() {
    start();
    int status = 0;
    for (pid_t pid = 0; !tracees_.empty() && (pid = waitpid(-1, &status, __WALL)) > 0;) {
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        tracees_.erase(pid);
        if (pid == root_)
          root_status_ = status;
      } else if (WIFSTOPPED(status)) {
        stopped(pid, WSTOPSIG(status), static_cast<unsigned>(status) >> 16U);
      }
    }
    report();
    return WIFEXITED(root_status_) ? WEXITSTATUS(root_status_) : 128 + WTERMSIG(root_status_);
  }

private:
  void start() {
    std::array<int, 2> go{};
    if (pipe2(go.data(), O_CLOEXEC) != 0)
      give_up("pipe2");
    root_ = fork();
    if (root_ < 0)
      give_up("fork");
    if (root_ == 0) {
      char byte = 0;
      close(go[1]);
      if (read(go[0], &byte, 1) != 1)
        _exit(cannot_trace);
      execvp(with_.program[0], with_.program);
      _exit(127);
    }
    close(go[0]);
    constexpr long options =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SEIZE, root_, nullptr, reinterpret_cast<void*>(options)) != 0)
      give_up("ptrace(SEIZE)");
    tracees_[root_];
    if (write(go[1], "", 1) != 1)
      give_up("write");
    close(go[1]);
  }

  void go_on(pid_t pid, int signal = 0) {
    if (ptrace(PTRACE_SYSCALL, pid, nullptr, reinterpret_cast<void*>(static_cast<long>(signal))) != 0 &&
        errno != ESRCH) // it may just have been killed
      give_up("ptrace(SYSCALL)");
  }

  void stopped(pid_t pid, int signal, unsigned event) {
    if (signal == (SIGTRAP | 0x80)) {
      at_call(pid);
      go_on(pid);
    } else if (event == PTRACE_EVENT_EXEC && pid != root_) {
      tracees_.erase(pid); // a command: no longer the program
      ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      ptrace(PTRACE_LISTEN, pid, nullptr, nullptr); // stopped by a signal, until SIGCONT
    } else if (event != 0) {
      tracees_[pid];
      unsigned long born = 0;
      if (event != PTRACE_EVENT_STOP && event != PTRACE_EVENT_EXEC &&
          ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &born) == 0)
        tracees_[static_cast<pid_t>(born)];
      go_on(pid);
    } else {
      go_on(pid, signal);
    }
  }

  void at_call(pid_t pid) {
    __ptrace_syscall_info info{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, reinterpret_cast<void*>(sizeof info), &info) <= 0)
      return; // killed meanwhile
    auto& t = tracees_[pid];
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
      if (std::exchange(t.failing, false))
        poke_register(pid, offsetof(user_regs_struct, rax), -with_.error_number);
      if (std::exchange(t.killing, false))
        kill(root_, SIGKILL);
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      entered(pid, t, info);
    }
  }

  void entered(pid_t pid, tracee& t, const __ptrace_syscall_info& info) {
    const auto number = static_cast<long>(info.entry.nr);
    if (!counting_) {
      const auto* call = find_call(number);
      counting_ = call != nullptr && (number == SYS_openat || number == SYS_open) &&
                  subject(pid, *call, info).ends_with(with_.from_path);
    }
    if (!counting_ || !with_.calls.contains(number))
      return;
    const auto* call = find_call(number);
    if (!with_.on.empty() && subject(pid, *call, info).find(with_.on) == std::string::npos)
      return;
    if (++seen_ != with_.at)
      return;
    hit_ = std::string(call->name) + " " + subject(pid, *call, info);
    if (with_.what == fault::kill_before)
      kill(root_, SIGKILL);
    t.killing = with_.what == fault::kill_after;
    t.failing = with_.what == fault::error;
    if (t.failing) // no such call: it has no effect
      poke_register(pid, offsetof(user_regs_struct, orig_rax), -1);
  }

  void report() const {
    if (with_.report == nullptr)
      return;
    std::FILE* file = std::fopen(with_.report, "w");
    if (file == nullptr)
      give_up(with_.report);
    std::fprintf(file, "calls %lu\nsignal %d\nhit %s\n", seen_, WIFSIGNALED(root_status_) ? WTERMSIG(root_status_) : 0,
                 hit_.c_str());
    if (std::fclose(file) != 0)
      give_up(with_.report);
  }

  const orders& with_;
  bool counting_;
  unsigned long seen_ = 0;
  std::string hit_;
  pid_t root_ = 0;
  int root_status_ = 0;
  std::map<pid_t, tracee> tracees_;
};

bool read_calls(std::string_view names, std::set<long>& to) {
  while (!names.empty()) {
    const auto name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    bool known = false;
    for (const auto& call : known_calls)
      if (call.name == name) {
        to.insert(call.number);
        known = true;
      }
    if (!known)
      return false;
  }
  return !to.empty();
}

bool read_orders(int argc, char** argv, orders& to) {
  int i = 1;
  for (; i < argc && std::string_view(argv[i]) != "--"; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 >= argc)
      return false;
    const char* value = argv[i + 1];
    if (option == "--calls") {
      if (!read_calls(value, to.calls))
        return false;
    } else if (option == "--from-path") {
      to.from_path = value;
    } else if (option == "--on") {
      to.on = value;
    } else if (option == "--report") {
      to.report = value;
    } else if (option == "--at") {
      to.at = std::strtoul(value, nullptr, 10);
    } else if (option == "--kill") {
      to.what = std::string_view(value) == "after" ? fault::kill_after : fault::kill_before;
    } else if (option == "--error") {
      to.what = fault::error;
      to.error_number = std::atoi(value);
    } else {
      return false;
    }
  }
  to.program = argv + i + 1;
  return i + 1 < argc && !to.calls.empty() && (to.at == 0 || to.what != fault::none);
}

#endif

} // namespace

int main(int argc, char** argv) {
#if defined(__x86_64__)
  orders with;
  if (!read_orders(argc, argv, with)) {
    std::fprintf(stderr, "usage: fault_at --calls NAME,... [--from-path END] [--on PART] [--at K --kill before|after | "
                         "--at K --error ERRNO] "
                         "[--report FILE] -- PROGRAM ARGUMENT...\n");
    return wrong_usage;
  }
  return tracer(with).run();
#else
  std::fprintf(stderr, "fault_at: not written for this processor\n");
  return argc + *argv[0] > 0 ? cannot_trace : wrong_usage;
#endif
}
