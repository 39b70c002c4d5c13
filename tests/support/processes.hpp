// Questions tests ask about processes. Knows nothing of executors.
#pragma once

#include "adapters/process/process_table.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace troupe_internal {

/// Whether a process runs (a zombie does not).
inline bool alive(pid_t pid) {
  const auto facts = read_process_facts(pid);
  return facts && facts->state != 'Z' && facts->state != 'X';
}

/// Waits for something another process does; false after a minute, which is a hang.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition())
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// Descriptors of this process, one of which is that of the question.
inline std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

/// Zombies too.
inline std::size_t children_of_this_process() {
  const auto pids = all_processes();
  return static_cast<std::size_t>(std::count_if(pids.begin(), pids.end(), [](pid_t pid) {
    const auto facts = read_process_facts(pid);
    return facts && facts->parent == getpid();
  }));
}

} // namespace troupe_internal
