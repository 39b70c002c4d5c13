// Optimal string alignment distance over three rolling rows.
#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {
namespace {

constexpr std::size_t longest = 64; // longer names get no suggestion: the rows below stay on the stack
constexpr std::size_t change = 4;   // the cost of one change, in quarters
constexpr std::size_t shortest = 3; // of a shorter name one change leaves next to nothing

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  using row = std::array<std::size_t, longest + 1>;
  row rows[3];
  for (std::size_t j = 0; j <= b.size(); ++j)
    rows[0][j] = j * change;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row& now = rows[i % 3];
    const row& before = rows[(i + 2) % 3];
    const row& two_before = rows[(i + 1) % 3];
    now[0] = i * change;
    std::size_t least = now[0];
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = a[i - 1];
      const char y = b[j - 1];
      const std::size_t replace = x == y ? 0 : lower(x) == lower(y) ? 1 : change;
      std::size_t cost = std::min({before[j] + change, now[j - 1] + change, before[j - 1] + replace});
      if (i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y)
        cost = std::min(cost, two_before[j - 2] + change);
      now[j] = cost;
      least = std::min(least, cost);
    }
    if (least >= limit)
      return limit;
  }
  return rows[a.size() % 3][b.size()];
}

} // namespace

nearest_name::nearest_name(std::string_view wanted)
    : wanted_(wanted),
      limit_(wanted.size() < shortest ? change
                                      : std::max<std::size_t>(wanted.size() * change * 2 / 5, change + 1) + 1) {}

void nearest_name::consider(std::string_view candidate) {
  if (wanted_.size() > longest || candidate.size() > longest)
    return;
  const std::size_t apart =
      wanted_.size() > candidate.size() ? wanted_.size() - candidate.size() : candidate.size() - wanted_.size();
  if (apart * change >= limit_)
    return;
  const std::size_t d = distance(wanted_, candidate, limit_);
  if (d < limit_) {
    limit_ = d;
    best_ = candidate;
  }
}

std::string nearest_name::hint() const {
  return best_.empty() ? std::string() : "; did you mean \"" + std::string(best_) + "\"?";
}

std::string nearest_hint(std::string_view wanted, std::span<const std::string_view> known) {
  nearest_name nearest(wanted);
  for (const auto name : known)
    nearest.consider(name);
  return nearest.hint();
}

} // namespace troupe_internal
