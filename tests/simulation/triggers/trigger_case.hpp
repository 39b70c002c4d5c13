// What a history of triggers is made of, from a seed: triggers with all their rules, and how often what happens to
// them. Knows no journal and no clock.
#pragma once

#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe_internal::test {

inline constexpr const char* pipeline_name = "p";
inline constexpr std::uint32_t assets_in_case = 3; ///< "a", "b" and "c"

/// One thread at a time.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  /// From 0 to `most` - 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t most) { return engine_() % most; }
  [[nodiscard]] bool one_in(std::uint64_t many) { return below(many) == 0; }
  /// Milliseconds, mostly few, at times many.
  [[nodiscard]] duration span();

private:
  std::mt19937_64 engine_;
};

/// A trigger of any kind, and any rules.
[[nodiscard]] trigger make_trigger(dice& with, std::string name);
/// The same with other rules; now and then it fires at other times.
[[nodiscard]] trigger changed_trigger(dice& with, const trigger& of);

struct trigger_case {
  std::vector<trigger> triggers;
  std::uint32_t steps = 200;
  bool calm = false; ///< the wall clock is never set, and nothing is paused or changed
  bool kills = true; ///< the supervisor is killed now and then
};
[[nodiscard]] trigger_case make_case(dice& with);

} // namespace troupe_internal::test
