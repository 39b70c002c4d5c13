// The port to time and chance.
#pragma once

#include "base/time.hpp"

#include <cstdint>

namespace troupe_internal {

/// Any thread.
class clock {
public:
  virtual ~clock() = default;
  /// Wall-clock time; may jump.
  [[nodiscard]] virtual timestamp now() const = 0;
  /// Never goes back, goes on while the machine sleeps; origin arbitrary.
  [[nodiscard]] virtual duration monotonic() const = 0;
  /// 64 bits nobody can guess.
  [[nodiscard]] virtual std::uint64_t random() = 0;
};

} // namespace troupe_internal
