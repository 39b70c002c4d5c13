// Asks the disk what the paths of a pipeline name: through which links they lead, and what has to be said about that.
// Knows nothing of content or of what is fresh.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "config/load_pipeline.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/pipeline.hpp"

#include <string>
#include <vector>

namespace troupe_internal::config {

/// What the graph needs to know. `files` is open on the pipeline's folder, and outlives what is returned. The disk is
/// asked once for each folder, and for each literal input that was not seen yet whether it is a link.
[[nodiscard]] disk_facts look_at_paths(const pipeline& p, const posix_file_system& files, const links_seen& seen = {});

/// Outputs that are, by whatever spelling, the pipeline file or in the way of the state. `state`: as on the command
/// line, or empty.
void check_reserved(const pipeline& p, const path_identities& same, const posix_file_system& files,
                    const std::string& state, diagnostics& out);

/// Warns of paths whose ".." comes after a link: the system would go up from where the link leads.
void warn_of_raised_paths(const std::vector<raised_path>& raised, const posix_file_system& files, diagnostics& out);

} // namespace troupe_internal::config
