// Time of the simulated world. Knows nothing of what happens in it.
#pragma once

#include "ports/clock.hpp"
#include "simulation_scheduler.hpp"

namespace troupe_internal::test {

/// `steady` never goes back, the wall clock is what people set.
class simulated_clock final : public clock {
public:
  explicit simulated_clock(seeded& random) : random_(random) {}
  timestamp now() const override { return start + steady() + set; }
  duration monotonic() const override { return steady(); }
  std::uint64_t random() override { return random_.bits(); }
  [[nodiscard]] duration steady() const { return before + (scheduler ? scheduler->elapsed() : duration::zero()); }

  timestamp start;
  duration set{};    ///< by how much the wall clock was set
  duration before{}; ///< until the scheduler began
  const simulation_scheduler* scheduler = nullptr;

private:
  seeded& random_;
};

} // namespace troupe_internal::test
