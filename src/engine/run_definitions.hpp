// The definitions that a run's assets are executed with: what is to be recorded before the run begins, and which digest
// each materialization names. Knows nothing of what is done with them later: see definition_history.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"
#include "engine/catalog.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// Of one pipeline; a digest is worked out once for each declaration that is asked for, and no text is kept. One thread
/// at a time.
class run_definitions {
public:
  explicit run_definitions(const pipeline& p) : p_(p) {}

  /// Works it out if need be.
  [[nodiscard]] const digest& of(asset_index asset);
  [[nodiscard]] asset_definition text_of(asset_index asset);
  /// What was worked out before; nullopt: it was not. Any thread, if nobody calls of() or to_record() meanwhile.
  [[nodiscard]] std::optional<digest> known(asset_index asset) const;
  /// definition_recorded for those of the assets that the state does not have with their present definition.
  /// `recorded`, by asset_index: definition_key() of what it has. To be appended after the names and before any event
  /// of the run.
  [[nodiscard]] std::vector<event> to_record(std::span<const asset_index> assets,
                                             const std::vector<std::uint64_t>& recorded, const catalog& names);

private:
  const pipeline& p_;
  std::vector<std::uint32_t> counts_;
  std::unordered_map<std::uint32_t, digest> by_declaration_; // addresses stay
};

/// What the state has of these assets by now, into `recorded`, for who has planned while others appended.
[[nodiscard]] result<void> read_recorded(const journal_snapshot& snapshot, const catalog& names,
                                         std::span<const asset_index> assets, std::vector<std::uint64_t>& recorded);

} // namespace troupe_internal
