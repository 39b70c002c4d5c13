// Arithmetic of workers and pools. Knows nothing of sizes, budgets or use.
#include "core/model/capacity.hpp"

#include <algorithm>

namespace troupe_internal {

bool fits(const capacity& what, const capacity& room) {
  return fits_beside({}, what, room);
}

bool fits_beside(const capacity& kept, const capacity& what, const capacity& room) {
  return what.workers <= room.workers && std::all_of(what.pools.begin(), what.pools.end(), [&](const auto& need) {
           const auto& [pool, slots] = need;
           return std::uint64_t{slots} + kept.of(pool) <= room.of(pool);
         });
}

void add(capacity& to, const capacity& more) {
  to.workers += more.workers;
  for (const auto& [pool, slots] : more.pools)
    to.pools[pool] += slots;
}

void take_away(capacity& from, const capacity& what) {
  from.workers -= std::min(from.workers, what.workers);
  for (const auto& [pool, slots] : what.pools)
    if (const auto found = from.pools.find(pool); found != from.pools.end())
      found->second -= std::min(found->second, slots);
}

capacity larger_of(capacity a, const capacity& b) {
  a.workers = std::max(a.workers, b.workers);
  for (const auto& [pool, slots] : b.pools) {
    auto& mine = a.pools[pool];
    mine = std::max(mine, slots);
  }
  return a;
}

} // namespace troupe_internal
