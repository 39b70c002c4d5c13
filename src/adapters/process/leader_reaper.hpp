// Reaps the leaders of commands and takes what they used. Knows nothing of when that may be done.
#pragma once

#include "ports/process_executor.hpp"

#include <sys/types.h>

#include <cstdint>

namespace troupe_internal {

/// One thread at a time.
class leader_reaper {
public:
  /// Waits for the end of this child and writes into `exit` how it ended and what it used. False if somebody else in
  /// this process has reaped it (errno says so).
  [[nodiscard]] bool reap(pid_t leader, process_exit& exit);

private:
  [[nodiscard]] bool may_be_our_peak(std::uint64_t peak_kib);
  std::uint64_t own_peak_kib_ = 0; ///< of this process, as last asked for
};

} // namespace troupe_internal
