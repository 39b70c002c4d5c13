// Stops the process when an invariant of the program itself is broken.
#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe_internal {

void check_failed(const char* expression, const char* file, int line, const char* why) noexcept {
  std::fprintf(stderr, "troupe: internal error: %s (%s) at %s:%d\n", why, expression, file, line);
  std::abort();
}

} // namespace troupe_internal
