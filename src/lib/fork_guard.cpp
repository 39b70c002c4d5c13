// In the child only what is safe after a fork of a program with threads: atomics, and close().
#include "lib/fork_guard.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace troupe_internal::lib {

namespace {

/// Two of each engine; with more engines than that, the rest is not guarded.
std::array<std::atomic<int>, 512> guarded_descriptors; // 0: none; else one more than the descriptor

void close_in_child() {
  for (auto& one : guarded_descriptors)
    if (const int descriptor = one.exchange(0); descriptor != 0)
      ::close(descriptor - 1);
}

void guard_forks() {
  static const int once = pthread_atfork(nullptr, nullptr, close_in_child);
  static_cast<void>(once);
}

} // namespace

closed_in_forks::closed_in_forks(std::array<int, 2> descriptors) : descriptors_(descriptors) {
  guard_forks();
  for (const int descriptor : descriptors_)
    for (auto& one : guarded_descriptors) {
      int none = 0;
      if (descriptor >= 0 && one.compare_exchange_strong(none, descriptor + 1))
        break;
    }
}

closed_in_forks::~closed_in_forks() {
  for (const int descriptor : descriptors_)
    for (auto& one : guarded_descriptors) {
      int mine = descriptor + 1;
      if (one.compare_exchange_strong(mine, 0))
        break;
    }
}

} // namespace troupe_internal::lib
