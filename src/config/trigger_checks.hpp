// What can be judged of triggers once the whole file is read: params and assets by name, templates that a kind of
// trigger has no value for, and keys that mean nothing for it. Knows no JSON.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/findings.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/trigger/trigger.hpp"

namespace troupe_internal::config {

/// Reports what is wrong, and returns the triggers with what follows from the rest of the file: default queues, and
/// where params are used. The pipeline has to be expanded, except that it may have mistakes.
[[nodiscard]] trigger_set checked_triggers(declared_pipeline& d, findings& out);

/// Reports selections that match nothing.
void check_selections(const trigger_set& set, const pipeline& p, const asset_graph& graph, diagnostics& out);

} // namespace troupe_internal::config
