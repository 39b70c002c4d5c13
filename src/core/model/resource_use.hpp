// What the command of an attempt used of the machine. Knows nothing of where the figures come from.
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace troupe_internal {

/// The use of the command itself and of all its descendants that were waited for. A process that the command left
/// running is not counted.
struct resource_use {
  duration user_cpu{};
  duration system_cpu{};
  /// The largest resident set of any one of these processes.
  std::uint64_t peak_memory_kib = 0;
  /// The command's own peak is at most peak_memory_kib and may be far less: the kernel counts in what the supervisor
  /// itself had resident when it started the command.
  bool peak_is_bound = false;
  std::uint64_t blocks_in = 0;  ///< of 512 bytes, read from disks
  std::uint64_t blocks_out = 0; ///< likewise, written
  friend bool operator==(const resource_use&, const resource_use&) = default;
};

/// Null, or what no command can have used: such a record is damaged or forged. The bounds leave room for sums.
[[nodiscard]] constexpr const char* impossible_use(const resource_use& used) {
  constexpr std::uint64_t most = std::uint64_t{1} << 50U;
  if (used.user_cpu < duration::zero() || used.system_cpu < duration::zero())
    return "an attempt used less than no processor time";
  if (used.peak_memory_kib > most || used.blocks_in > most || used.blocks_out > most)
    return "an attempt used more than there can be";
  return nullptr;
}

} // namespace troupe_internal
