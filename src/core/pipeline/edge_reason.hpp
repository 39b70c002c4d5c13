// Why one asset needs another: which name or which file makes the edge. Knows nothing of freshness.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

enum class edge_kind : std::uint8_t {
  name,         ///< it stands in deps
  file,         ///< the input is the output
  beneath,      ///< the input lies in the output, a folder
  contains,     ///< the input, a folder, contains the output
  glob,         ///< the input, a glob, matches the output
  glob_beneath, ///< the input, a glob, looks into the output, a folder
  link,         ///< the input is a link to the output, or to something in it
  recorded,     ///< its last attempt reported the output, or something in it, as an input
};

/// The first reason that holds, in the order of edge_kind, then of inputs.
struct edge_reason {
  edge_kind kind = edge_kind::name;
  path_index input;            ///< of the asset that needs; unused with `name` and `recorded`
  path_index output;           ///< of the asset that is needed; unused with `name` and `recorded`
  std::string_view reported{}; ///< with `recorded`: the path, which the graph holds
  bool by_link = false;        ///< with `recorded`: the path is a link in an input folder
};

/// Why `needing` needs `needed`; nullopt if it does not, by itself.
[[nodiscard]] std::optional<edge_reason> explain_edge(const pipeline& p, const asset_graph& graph, asset_index needing,
                                                      asset_index needed);
/// The reasons of all edges into `needing`, parallel to graph.upstream(needing).
[[nodiscard]] std::vector<edge_reason> explain_upstream(const pipeline& p, const asset_graph& graph,
                                                        asset_index needing);
/// "named in its deps", "its input a.txt is an output of b": to stand behind "x needs b: ".
[[nodiscard]] std::string in_words(const pipeline& p, const edge_reason& reason, asset_index needed);

} // namespace troupe_internal
