// What a process holds of the system's things, and its allocated memory: to see that something gives back what it took.
#pragma once

#include "adapters/process/process_table.hpp"

#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

namespace troupe_internal::test {

struct process_holdings {
  std::set<std::string> descriptors; ///< what they are of
  std::size_t descriptor_count = 0, threads = 0, children = 0;
  std::size_t bytes = 0;

  static process_holdings now() {
    process_holdings all;
    for (const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone; // the iterator's own
      all.descriptors.insert(std::filesystem::read_symlink(fd.path(), gone).string());
      ++all.descriptor_count;
    }
    for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
      ++all.threads;
    for (const auto pid : all_processes())
      if (const auto facts = read_process_facts(pid); facts && facts->parent == getpid())
        ++all.children;
    const auto heap = mallinfo2();
    all.bytes = heap.uordblks + heap.hblkhd;
    return all;
  }
};

} // namespace troupe_internal::test
