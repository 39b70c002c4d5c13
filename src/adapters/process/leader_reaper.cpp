// wait4, which hands out the use of resources in the call that reaps.
#include "adapters/process/leader_reaper.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>

namespace troupe_internal {
namespace {

duration span_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// The kernel hands out signed numbers.
std::uint64_t count_of(long number) {
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

} // namespace

bool leader_reaper::reap(pid_t leader, process_exit& exit) {
  int status = 0;
  rusage used{};
  pid_t reaped = 0;
  do
    reaped = wait4(leader, &status, 0, &used);
  while (reaped < 0 && errno == EINTR);
  if (reaped != leader)
    return false;
  if (WIFEXITED(status))
    exit.exit_code = WEXITSTATUS(status);
  else
    exit.signal = WTERMSIG(status);
  auto& resources = exit.resources.emplace();
  resources.user_cpu = span_of(used.ru_utime);
  resources.system_cpu = span_of(used.ru_stime);
  resources.peak_memory_kib = count_of(used.ru_maxrss);
  resources.peak_is_bound = may_be_our_peak(resources.peak_memory_kib);
  resources.blocks_in = count_of(used.ru_inblock);
  resources.blocks_out = count_of(used.ru_oublock);
  return true;
}

/// A child shares our memory until it executes its program, and the kernel counts our resident set as the child's.
/// Our own peak only grows, so it is asked for only where a command seems to exceed it.
bool leader_reaper::may_be_our_peak(std::uint64_t peak_kib) {
  constexpr std::uint64_t inexact_kib = 1024; // the kernel's counters are approximate
  if (peak_kib > own_peak_kib_ + inexact_kib) {
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    own_peak_kib_ = count_of(own.ru_maxrss);
  }
  return peak_kib <= own_peak_kib_ + inexact_kib;
}

} // namespace troupe_internal
