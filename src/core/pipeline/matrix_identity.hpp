// What an asset of a matrix is known by, whatever the order in which the file writes its variables. Knows nothing of
// how it is recorded.
#pragma once

#include "core/pipeline/pipeline.hpp"

#include <string>

namespace troupe_internal {

/// "asset[a=1,b=2]", the variables sorted by name, for an asset of a matrix with two variables or more; "" for any
/// other, whose name says it all. No two assets of a pipeline have the same.
[[nodiscard]] std::string matrix_identity(const pipeline& p, asset_index asset);
/// The name of an asset's logs: as those of earlier runs are to be found again, the identity where there is one.
[[nodiscard]] std::string log_name(const pipeline& p, asset_index asset);

} // namespace troupe_internal
