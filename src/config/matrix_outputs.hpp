// Values of matrices are read before anything runs, so nothing that the pipeline makes may be among them. Knows the
// sources and the outputs, by their texts.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/findings.hpp"

namespace troupe_internal::config {

/// Reports (matrix_of_outputs) outputs that a glob of a matrix matches or could reach into, and files of values that an
/// asset makes. Those of sources are made elsewhere. Once, when the assets are made.
void check_matrix_outputs(const declared_pipeline& d, findings& out);

} // namespace troupe_internal::config
