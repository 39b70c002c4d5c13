// What the run tells its wait ledger: when an asset is queued, and which pools have no room. Knows nothing of clocks.
#include "core/run/run_logic.hpp"

#include <algorithm>

namespace troupe_internal {

void run_logic::enqueue(ready_queue& queue, asset_index asset) {
  const auto& pools = p_.settings_of(asset).pools;
  waits_.queued(position_[asset.value], pool_need(pools.begin(), pools.end()), now_);
  put_in(queue, asset);
}

/// The first pool of a need that has too little room, beside what is kept free there for the most urgent.
std::optional<std::size_t> run_logic::pool_without_room(const pool_need& need,
                                                        const asset_settings* most_urgent) const {
  const bool keeps = most_urgent != nullptr && !std::equal(need.begin(), need.end(), most_urgent->pools.begin(),
                                                           most_urgent->pools.end(), [](const auto& a, const auto& b) {
                                                             return a.first == b.first && a.second == b.second;
                                                           });
  for (std::size_t i = 0; i < need.size(); ++i) {
    const auto& [name, slots] = need[i];
    const auto size = p_.engine.pools.find(name);
    const auto used = pool_used_.find(name);
    std::uint64_t taken = used == pool_used_.end() ? 0 : used->second;
    if (keeps)
      if (const auto kept = most_urgent->pools.find(name); kept != most_urgent->pools.end())
        taken += kept->second;
    if (taken + slots > (size == p_.engine.pools.end() ? 0 : size->second))
      return i;
  }
  return std::nullopt;
}

/// From now until the next input, what waits for a pool that has no room waits for that pool.
void run_logic::note_pools() {
  if (p_.engine.pools.empty())
    return;
  const auto first = most_urgent_candidate();
  const auto* most_urgent = first ? &p_.settings_of(asset_index(first->who.asset)) : nullptr;
  if (most_urgent != nullptr && pools_allow(*most_urgent, nullptr))
    most_urgent = nullptr;
  waits_.note_pools(now_, [&](const pool_need& need) { return pool_without_room(need, most_urgent); });
}

} // namespace troupe_internal
