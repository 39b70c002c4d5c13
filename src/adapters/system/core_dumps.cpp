// One limit of the process, lowered once.
#include "adapters/system/core_dumps.hpp"

#include <atomic>
#include <mutex>

namespace troupe_internal {

namespace {
rlimit before{};
std::atomic<bool> lowered{false};
} // namespace

void forbid_core_dumps() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (getrlimit(RLIMIT_CORE, &before) != 0 || before.rlim_cur == 0)
      return;
    const rlimit none{0, before.rlim_max};
    lowered.store(setrlimit(RLIMIT_CORE, &none) == 0, std::memory_order_release);
  });
}

const rlimit* core_limit_before() {
  return lowered.load(std::memory_order_acquire) ? &before : nullptr;
}

} // namespace troupe_internal
