// The ids of a state: who needs one for a name that the journal does not know yet gets it here, whichever run asks.
// Knows nothing of pipelines or of who appends.
#pragma once

#include "base/interner.hpp"
#include "base/strong_id.hpp"
#include "core/model/event.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Gives out ids, each once, in order, and keeps who got which as long as it lives. What is new is handed over once, to
/// be recorded before any event that uses it. Any thread.
class state_names {
public:
  /// How many of each the journal has.
  state_names(std::uint32_t assets, std::uint32_t paths) : first_asset_(assets), first_path_(paths) {}

  /// The id of an asset that the journal does not know under this name. `identity`: that of its matrix values; may be
  /// empty.
  [[nodiscard]] asset_id asset(std::string_view name, std::string identity);
  /// The id of a path that the journal does not know.
  [[nodiscard]] path_id path(std::string_view name);
  /// Events that make known what was given out since the last call, in the order of ids.
  [[nodiscard]] std::vector<event> take_new();

private:
  const std::uint32_t first_asset_;
  const std::uint32_t first_path_;
  std::mutex mutex_;
  interner assets_;                                  // number + first_asset_ is the id
  interner paths_;                                   // likewise
  std::map<std::uint32_t, std::string> identities_;  // by number; of those not taken yet
  std::map<std::string, std::uint32_t> by_identity_; // number
  std::uint32_t taken_assets_ = 0;
  std::uint32_t taken_paths_ = 0;
};

} // namespace troupe_internal
