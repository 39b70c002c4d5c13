// What a run is told of an asset, and of what it needs, when others may have changed their records since it was
// planned. Knows nothing of how a record is read.
#pragma once

#include "base/result.hpp"
#include "core/model/materialization.hpp"
#include "core/run/run_logic.hpp"
#include "core/schedule/admission.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Why an asset of a run cannot use what `needed`, outside the run, has left; nullopt: it can. Empty: it was never
/// materialized. `last`: its last attempt; `reader_is_fresh`: the asset has nothing to use of it.
[[nodiscard]] std::optional<std::string> no_use_of(const pipeline& p, asset_index needed, attempt_state last,
                                                   bool was_made, bool reader_is_fresh);

/// Those that the plan found blocked from outside, without those of which the records are read anew: only then is it
/// known what can be used. The others are blocked when the run begins.
[[nodiscard]] std::vector<blocked_outside> blocked_at_once(std::vector<blocked_outside> planned,
                                                           const touched_assets& touched);

struct records_anew {
  std::optional<asset_record> own; ///< of the asset itself, if that is touched
  /// Data versions, as dependents see them, of those that have one.
  std::vector<std::pair<asset_index, digest>> versions;
  /// Something outside the run that is of no use, if the asset is not fresh.
  std::optional<blocked_outside> blocked;
};

/// `in_run`: whether an asset is in the run. `read` reads one record as of now; its errors are handed on.
[[nodiscard]] result<records_anew> read_anew(const pipeline& p, const asset_graph& graph, const touched_assets& touched,
                                             asset_index asset, const std::function<bool(asset_index)>& in_run,
                                             const std::function<result<void>(asset_index, asset_record&)>& read);

} // namespace troupe_internal
