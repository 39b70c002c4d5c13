// Triggers of one pipeline that follow each other's assets in a circle. Knows no other pipeline, and no run.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/trigger/trigger.hpp"

namespace troupe_internal::config {

/// Warns of each circle once. The selections of the triggers have been checked.
void warn_of_circles(const trigger_set& set, const pipeline& p, const asset_graph& graph, diagnostics& out);

} // namespace troupe_internal::config
