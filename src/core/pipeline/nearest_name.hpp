// Which known name a misspelt one was probably meant to be. Knows nothing of what the names mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Collects candidates for one misspelt name and keeps the nearest: fewest letters inserted, removed, changed or
/// swapped with a neighbour, at most two in five; upper and lower case count as a quarter of a change. Of names of one
/// or two letters no other difference is near. The first of equals wins.
class nearest_name {
public:
  explicit nearest_name(std::string_view wanted);
  void consider(std::string_view candidate);
  /// The nearest so far; empty if none is near enough. Valid as long as the candidate is.
  [[nodiscard]] std::string_view best() const { return best_; }
  /// `; did you mean "command"?`, or nothing.
  [[nodiscard]] std::string hint() const;

private:
  std::string_view wanted_;
  std::string_view best_;
  std::size_t limit_; // in quarters of a change: a candidate must be below
};

/// nearest_name over a list, as its hint.
[[nodiscard]] std::string nearest_hint(std::string_view wanted, std::span<const std::string_view> known);

} // namespace troupe_internal
