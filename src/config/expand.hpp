// From what a pipeline file declares to the pipeline: defaults applied, names looked up, matrices expanded, templates
// in paths filled in. Knows no JSON and no disk.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/findings.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe_internal::config {

/// Replaces declared values of params; an unknown name or a value of another type is reported.
void override_params(declared_pipeline& d, const std::vector<std::pair<std::string, std::string>>& overrides,
                     findings& out);
/// Completes d.p from all else in d, and reports what is wrong in it. Once, after override_params(). False if assets
/// are missing, because that would be too much.
[[nodiscard]] bool expand(declared_pipeline& d, findings& out);

} // namespace troupe_internal::config
