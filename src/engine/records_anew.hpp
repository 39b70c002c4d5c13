// What a run is told of an asset, and of what it needs, when others may have changed their records since it was
// planned. Knows nothing of how a record is read.
#pragma once

#include "base/result.hpp"
#include "core/freshness/freshness.hpp"
#include "core/schedule/admission.hpp"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace troupe_internal {

struct records_anew {
  std::optional<asset_record> own; ///< of the asset itself, if that is touched
  /// Data versions, as dependents see them, of those that have one.
  std::vector<std::pair<asset_index, digest>> versions;
};

/// `read` reads one record as of now; its errors are handed on.
[[nodiscard]] inline result<records_anew>
read_anew(const pipeline& p, const asset_graph& graph, const touched_assets& touched, asset_index asset,
          const std::function<result<void>(asset_index, asset_record&)>& read) {
  records_anew found;
  for (const auto one : touched.to_read(graph, asset)) {
    asset_record record;
    if (const auto done = read(one, record); !done)
      return done.error();
    if (p.settings_of(one).allow_failure && record.attempt == attempt_state::failed)
      found.versions.emplace_back(one, version_of_allowed_failure());
    else if (record.last)
      found.versions.emplace_back(one, record.last->made.data_version);
    if (one == asset)
      found.own = std::move(record);
  }
  return found;
}

} // namespace troupe_internal
