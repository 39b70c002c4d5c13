// A declared asset as it is recorded: the texts of its definition. Knows nothing of the disk, of values, or of what is
// compared to tell whether an asset is stale (definition.hpp).
#pragma once

#include "core/model/asset_definition.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>
#include <vector>

namespace troupe_internal {

/// How many assets each declaration makes, by index into pipeline::declarations.
[[nodiscard]] std::vector<std::uint32_t> assets_of_declarations(const pipeline& p);

/// The definition that the asset shares with all others of its declaration. `counts`: assets_of_declarations().
[[nodiscard]] asset_definition declared_text(const pipeline& p, asset_index asset,
                                             const std::vector<std::uint32_t>& counts);

} // namespace troupe_internal
