// Between clone and exec the child runs in our memory on a stack of its own while this thread stands still: it may make
// system calls and write to its `errand`, nothing else.
#include "adapters/process/child_clone.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#if __has_include(<linux/close_range.h>)
#include <linux/close_range.h>
#endif
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

namespace troupe_internal {
namespace {

constexpr std::size_t stack_bytes = 64 * 1024;
constexpr int last_signal = _NSIG - 1;
constexpr std::size_t signal_set_bytes = _NSIG / 8; // the kernel's

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TROUPE_PLAIN __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define TROUPE_PLAIN __attribute__((noinline))
#endif

#if defined(__SANITIZE_THREAD__)
// The sanitizer takes every clone for a fork, and forgets what other threads did: in our memory, which they share.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...);
constexpr auto& plain_clone = __clone;
#else
constexpr auto& plain_clone = ::clone;
#endif

struct errand {
  const child_program* program = nullptr;
  const int* signals_to_reset = nullptr;
  std::size_t signal_count = 0;
  timespec began{};
  volatile int error_number = 0;
};

/// All descriptors above the standard ones, at exec and not before: the state's lock (state_lock.hpp) is among them,
/// and whoever takes it next has to find this process by its environment, which it has from exec on.
TROUPE_PLAIN void close_others_at_exec() {
#if defined(SYS_close_range) && defined(CLOSE_RANGE_CLOEXEC)
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    return;
#endif
  // Before Linux 5.11, or a filter. The folder's own descriptor is among those it lists.
  const auto folder = static_cast<int>(syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY));
  alignas(8) char entries[2048];
  for (long bytes = 0; folder >= 0 && (bytes = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0;)
    for (long at = 0; at < bytes;) {
      constexpr long length_at = 16; // of struct linux_dirent64
      constexpr long name_at = 19;
      unsigned short length = 0;
      __builtin_memcpy(&length, entries + at + length_at, sizeof length);
      int fd = 0;
      for (const char* digit = entries + at + name_at; *digit >= '0' && *digit <= '9'; ++digit)
        fd = fd * 10 + (*digit - '0');
      if (fd > 2)
        syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
      at += length;
    }
  rlimit most{};
  if (folder < 0 && getrlimit(RLIMIT_NOFILE, &most) == 0) // no descriptor left, no /proc
    for (rlim_t fd = 3; fd < most.rlim_cur && fd <= INT_MAX; ++fd)
      syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

TROUPE_PLAIN int run_child(void* argument) {
  auto& e = *static_cast<errand*>(argument);
  const auto& program = *e.program;
  clock_gettime(CLOCK_BOOTTIME, &e.began);
  const auto give_up = [&e] {
    e.error_number = errno;
    _exit(127);
  };
  if (setpgid(0, 0) != 0 || dup2(program.input, 0) < 0 || dup2(program.output, 1) < 0 || dup2(program.errors, 2) < 0)
    give_up();
  close_others_at_exec();
  if (program.core_limit != nullptr) // where that is refused, it has ours
    static_cast<void>(setrlimit(RLIMIT_CORE, program.core_limit));
  if (chdir(program.cwd) != 0)
    give_up();
  // The kernel's own form of struct sigaction, all zeros: its default. The C library's call refuses the signals it uses
  // itself, and a sanitizer's keeps a table that is the parent's too.
  const std::array<std::uint64_t, 4> as_by_default{};
  for (std::size_t i = 0; i < e.signal_count; ++i)
    syscall(SYS_rt_sigaction, e.signals_to_reset[i], as_by_default.data(), nullptr, signal_set_bytes);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program.file, program.argv, program.environment);
  if (errno == ENOEXEC)
    execve("/bin/sh", program.shell_argv, program.environment);
  give_up();
  return 0;
}

#if defined(__x86_64__) && defined(SYS_clone3) && defined(CLONE_CLEAR_SIGHAND)
/// clone3, and in the child `function(argument)` on the stack given in `arguments`. It must not return.
TROUPE_PLAIN long clone_and_call(clone_args& arguments, int (*function)(void*), void* argument) {
  long outcome = SYS_clone3;
  register auto call asm("r8") = function;
  register auto with asm("r9") = argument;
  asm volatile("syscall\n\t"
               "test %%rax, %%rax\n\t"
               "jnz 1f\n\t"
               "xor %%ebp, %%ebp\n\t" // the outermost frame
               "mov %%r9, %%rdi\n\t"
               "call *%%r8\n\t"
               "ud2\n"
               "1:"
               : "+a"(outcome)
               : "D"(&arguments), "S"(sizeof arguments), "r"(call), "r"(with)
               : "rcx", "r11", "memory", "cc");
  return outcome;
}

/// A child with all handlers reset; its pid, or an errno value below 0.
TROUPE_PLAIN long clone_without_handlers(void* stack, errand& e) {
  clone_args arguments{};
  arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uintptr_t>(stack);
  arguments.stack_size = stack_bytes;
  return clone_and_call(arguments, run_child, &e);
}
#else
long clone_without_handlers(void*, errand&) {
  return -ENOSYS;
}
#endif

std::uint64_t ticks(const timespec& t, long ticks_per_second) {
  const auto ns = static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
  return ns / (1'000'000'000 / static_cast<std::uint64_t>(ticks_per_second));
}

} // namespace

child_cloner::child_cloner(way how) : plainly_(how == way::plain) {
  void* stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack != MAP_FAILED)
    stack_ = stack;
  for (int signal = 1; signal <= last_signal; ++signal) {
    struct sigaction action {};
    if (signal == SIGPIPE || (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN))
      ignored_signals_.push_back(signal);
    if (signal != SIGKILL && signal != SIGSTOP)
      all_signals_.push_back(signal);
  }
}

child_cloner::~child_cloner() {
  if (stack_ != nullptr)
    munmap(stack_, stack_bytes);
}

int child_cloner::clone(const child_program& program, cloned_child& child) {
  if (stack_ == nullptr)
    return ENOMEM;
  errand e;
  e.program = &program;
  timespec before{};
  clock_gettime(CLOCK_BOOTTIME, &before);
  long pid = -ENOSYS;
  if (!plainly_) {
    e.signals_to_reset = ignored_signals_.data();
    e.signal_count = ignored_signals_.size();
    pid = clone_without_handlers(stack_, e);
    plainly_ = pid == -ENOSYS || pid == -EPERM || pid == -EINVAL; // an old kernel, or a filter
  }
  if (plainly_) {
    e.signals_to_reset = all_signals_.data();
    e.signal_count = all_signals_.size();
    pid = plain_clone(run_child, static_cast<char*>(stack_) + stack_bytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &e);
    pid = pid < 0 ? -errno : pid;
  }
  if (pid < 0)
    return static_cast<int>(-pid);
  child.pid = static_cast<pid_t>(pid);
  if (e.error_number != 0) {
    while (waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR)
      ;
    return e.error_number;
  }
  // The kernel took its start time between these two moments: mostly within one tick, and then the tick is known.
  const long per_second = sysconf(_SC_CLK_TCK);
  if (ticks(before, per_second) == ticks(e.began, per_second))
    child.start_ticks = ticks(before, per_second);
  return 0;
}

} // namespace troupe_internal
