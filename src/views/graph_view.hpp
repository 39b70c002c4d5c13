// The graph of a pipeline as something to look at: text, Graphviz, Mermaid, SVG and JSON. Knows nothing of where the
// statuses come from, and of the world only that SVG needs Graphviz's `dot`.
#pragma once

#include "base/result.hpp"
#include "core/model/report.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// How an asset stands, as far as a picture tells it apart. A source is drawn as one whatever its status.
enum class node_status : std::uint8_t {
  unknown,
  fresh,
  maybe, ///< something it needs is stale: early cut-off can spare it
  stale,
  running,
  failed,
};

/// How the graph shows an asset that stands so.
[[nodiscard]] constexpr node_status node_status_of(asset_standing standing) {
  switch (standing) {
  case asset_standing::fresh:
    return node_status::fresh;
  case asset_standing::maybe:
    return node_status::maybe;
  case asset_standing::stale:
    return node_status::stale;
  case asset_standing::running:
    return node_status::running;
  case asset_standing::failed:
    return node_status::failed;
  }
  return node_status::unknown;
}

/// What to show. The references must outlive it.
struct graph_view {
  const pipeline& p;
  const asset_graph& graph;
  std::vector<asset_index> selection; ///< as select_assets() gives it: sorted by index, without duplicates
  std::vector<node_status> status;    ///< by asset index, of all assets; empty: nothing is known
};

enum class graph_format : std::uint8_t { text, dot, mermaid, svg, json };
/// text, dot, mermaid, svg, json; nullopt for another word.
[[nodiscard]] std::optional<graph_format> graph_format_from(std::string_view word);

struct graph_text_options {
  bool colour = false;
  std::size_t columns = 0; ///< lines are cut to fit; 0: never
};

/// All of these end in a newline, show the selected assets and the edges between them, and are deterministic. Names
/// are shown with control characters and bytes that are not UTF-8 as U+FFFD.

/// A line an asset, in levels: each asset one level after the last of what it needs.
[[nodiscard]] std::string graph_as_text(const graph_view& view, const graph_text_options& options);
/// Graphviz: groups as clusters, status by colour and shape.
[[nodiscard]] std::string graph_as_dot(const graph_view& view);
/// A Mermaid flowchart: groups as subgraphs, status by colour and shape.
[[nodiscard]] std::string graph_as_mermaid(const graph_view& view);
/// {"format":1,"pipeline","nodes":[{"name","asset","matrix","group","tags","kind","status","description","inputs",
/// "outputs"}],"edges":[{"from","to","kind","via"}]}, nodes in topological order; from = upstream; kind is name, file,
/// beneath, contains, glob or glob_beneath (see edge_reason.hpp); via is the input that makes the edge, or null.
[[nodiscard]] std::string graph_as_json(const graph_view& view);

struct graphviz_options {
  std::string program = "dot"; ///< looked up in PATH
  duration timeout = std::chrono::minutes(2);
};

/// One self-contained file, readable in light and dark, with what is known of an asset as its tooltip. Errors:
/// not_found where Graphviz is not installed (saying how to get it), io where it fails or takes too long.
[[nodiscard]] result<std::string> graph_as_svg(const graph_view& view, const graphviz_options& options = {});

} // namespace troupe_internal
