// Room for attempts: workers and slots of pools. Knows how to add and compare them; does not know which run has them,
// or why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// A size, a budget, what is in use, or what one attempt takes (a bundle: 1 worker and all slots of all its pools).
/// A pool that is not named has 0 slots.
struct capacity {
  std::uint32_t workers = 0;
  std::map<std::string, std::uint32_t, std::less<>> pools;
  friend bool operator==(const capacity&, const capacity&) = default;

  [[nodiscard]] std::uint32_t of(std::string_view pool) const {
    const auto found = pools.find(pool);
    return found == pools.end() ? 0 : found->second;
  }
};

/// Whether `what` fits into `room`; and whether it fits beside what `kept` keeps of the pools that `what` needs.
[[nodiscard]] bool fits(const capacity& what, const capacity& room);
[[nodiscard]] bool fits_beside(const capacity& kept, const capacity& what, const capacity& room);
/// In every dimension.
void add(capacity& to, const capacity& more);
/// In every dimension, and never below 0.
void take_away(capacity& from, const capacity& what);
/// The larger of the two in every dimension.
[[nodiscard]] capacity larger_of(capacity a, const capacity& b);

/// What a run with a limited budget uses and asks for. The two belong together: neither changes without the other.
struct run_demand {
  /// The number of the last budget that the run obeys; 0: the one it began with.
  std::uint64_t obeys = 0;
  /// What its open attempts take, and its examinations that hold a place. A held success takes nothing.
  capacity used;
  /// One bundle for each attempt that it could start now, the most urgent first. What is in use is not among them.
  std::vector<capacity> wants;
  /// It starts nothing before some claims have arrived, which are on their way: a budget now would be given back.
  bool expects_claims = false;
  friend bool operator==(const run_demand&, const run_demand&) = default;
};

} // namespace troupe_internal
