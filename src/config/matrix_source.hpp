// From the sources of values that a pipeline file declares to the values: files are read, globs searched, templates
// filled in, ids given. Knows no asset.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/findings.hpp"

namespace troupe_internal::config {

/// Fills in the values of all matrices of `d`, with what their "exclude" means, and `p.values_read`. Once, when params
/// have their values and before assets are made. What is wrong is reported; a variable whose values are wrong has those
/// that are right.
void read_matrices(declared_pipeline& d, findings& out);

} // namespace troupe_internal::config
