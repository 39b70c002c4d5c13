// When a trigger fires because assets have changed, and when that runs in a circle. Pure: what has changed, and what is
// remembered, are handed in. Knows no journal and no selection.
#pragma once

#include "core/model/event.hpp"
#include "core/model/trigger_event.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe_internal {

/// An asset that a trigger follows, and the last change of it.
struct followed_asset {
  asset_id asset;
  std::uint64_t changed_seq = 0; ///< of the event that gave it another data version; 0: there was none
  timestamp changed_at;
  bool by_own_run = false; ///< a run of the trigger itself made it
};

/// What a look at assets finds.
struct asset_look {
  std::vector<asset_id> fires;    ///< for the changes of these; empty: not yet
  std::vector<asset_flag> flags;  ///< what stands afterwards: changes that wait for those of the others
  std::vector<asset_flag> lapsed; ///< changes that have waited longer than `within`
  bool moved = false;             ///< there is something to record: `flags`, and that all up to now has been seen
};

/// `seen`: changes up to this number of the journal have been looked at. `flags`: what stands. `assets`: those that the
/// trigger follows, each once. `any` fires for each change. `all` fires when every asset has changed since it fired
/// last, and clears all flags together.
[[nodiscard]] asset_look look_at_assets(const assets_source& of, std::uint64_t seen, std::span<const asset_flag> flags,
                                        std::span<const followed_asset> assets, timestamp now);

/// The triggers whose runs have led to a run of `next`, itself included; empty `caused_by`: something outside did.
[[nodiscard]] std::vector<std::string> chain_after(const std::vector<std::string>& caused_by, const std::string& next);

/// Why the trigger may not fire once more at the end of the chain; nullopt: it may. A chain has at most most_in_chain
/// triggers, and the same one most_turns times.
inline constexpr std::size_t most_in_chain = 16;
inline constexpr std::size_t most_turns = 3;
[[nodiscard]] std::optional<std::string> circle_in(const std::vector<std::string>& chain);

} // namespace troupe_internal
