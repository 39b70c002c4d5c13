// Assertions that stay on in release builds; knows nothing but how to stop.
#pragma once

namespace troupe_internal {

/// Prints what was violated and where to standard error, then aborts. Any thread.
[[noreturn]] void check_failed(const char* expression, const char* file, int line, const char* why) noexcept;

} // namespace troupe_internal

/// Asserts a programmer error away, in release builds too. Operating errors are values (see result.hpp), never checks.
#define TROUPE_CHECK(expression, why)                                                                                  \
  ((expression) ? static_cast<void>(0) : ::troupe_internal::check_failed(#expression, __FILE__, __LINE__, why))
