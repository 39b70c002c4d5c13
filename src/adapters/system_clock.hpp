// The system's clocks and random bits.
#pragma once

#include "ports/clock.hpp"

namespace troupe {

class system_clock final : public clock {
public:
  [[nodiscard]] timestamp now() const override;
  [[nodiscard]] duration monotonic() const override;
  /// From the kernel (getrandom).
  [[nodiscard]] std::uint64_t random() override;
};

} // namespace troupe
