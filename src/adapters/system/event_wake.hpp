// Waking whoever waits for an eventfd. Knows nothing of what for.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace troupe_internal {

/// Makes an eventfd readable. Fit for signal handlers; changes errno. A wake that is lost leaves somebody asleep for
/// ever, so it is tried until it is heard: EAGAIN says that the counter is full, that is, that nobody can be asleep.
inline void wake(int eventfd) noexcept {
  constexpr std::uint64_t one = 1;
  constexpr int tries_limit =
      1'000'000; // a descriptor that takes no writes at all is a bug, and is waited for by nobody
  for (int i = 0; i < tries_limit; ++i)
    if (write(eventfd, &one, sizeof one) == sizeof one || errno == EAGAIN)
      return;
}

} // namespace troupe_internal
