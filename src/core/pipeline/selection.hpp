// The selection language: which assets a command is about. Knows nothing of freshness.
//
//   selection = term { "," term }            the assets in all terms; several arguments: those in any of them
//   term      = [ [N] "+" ] atom [ "+" [N] ]  with upstream / downstream, N levels or all
//   atom      = "tag:" pattern | "group:" pattern | pattern
//   pattern   = a name ("by_section[admin]"), the bare name of a matrix ("by_section": all of it), or a glob over
//               names (* ? [a-z] [!a]; "[…]" at the end is the notation of a matrix too: "by_section[a*]");
//               where none of these selects anything: an output ("out/report.html", as the pipeline's folder has it)
//
// What is exactly the name of an asset means that asset, whatever its characters; commas and pluses inside [ ] belong
// to the name. In a glob "/" and "." are characters like any other, and \ takes a wildcard literally.
#pragma once

#include "base/result.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <string>
#include <vector>

namespace troupe_internal {

/// The union of what the arguments select, sorted by index; no argument selects everything. invalid_input for a
/// malformed argument or one that matches nothing (naming it and the nearest name).
[[nodiscard]] result<std::vector<asset_index>> select_assets(const pipeline& p, const asset_graph& graph,
                                                             const std::vector<std::string>& arguments);

/// The selected and all they need, sorted by index.
[[nodiscard]] std::vector<asset_index> with_upstream(const asset_graph& graph,
                                                     const std::vector<asset_index>& selected);

} // namespace troupe_internal
