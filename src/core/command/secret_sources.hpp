// Where a pipeline's secrets come from, besides its params. Knows no value.
#pragma once

#include "core/pipeline/pipeline.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// Sorted, each once.
struct secret_sources {
  std::vector<std::string> variables; ///< of Troupe's own environment
  std::vector<std::string> files;     ///< as written: relative to the pipeline's folder, or absolute
};

/// Of all assets. Costs nothing for a pipeline that declares no secrets.
[[nodiscard]] secret_sources secret_sources_of(const pipeline& p);

} // namespace troupe_internal
