// What all pictures of a graph share: which nodes and edges there are, their levels, groups and labels. Knows no
// format.
#pragma once

#include "base/shown_text.hpp"
#include "core/pipeline/edge_reason.hpp"
#include "views/graph_view.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// How a node is drawn: its status, or that it is a source.
enum class node_look : std::uint8_t { source, unknown, fresh, maybe, stale, running, failed };
inline constexpr std::size_t node_look_count = 7;

/// "source", "unknown", "fresh", "maybe stale" … for people.
[[nodiscard]] std::string_view look_words(node_look look);
/// The same as one word of letters, for class names.
[[nodiscard]] std::string_view look_class(node_look look);

struct view_node {
  asset_index asset;
  std::uint32_t level = 0; ///< 0: needs nothing that is shown
  node_look look = node_look::unknown;
};

struct view_edge {
  std::uint32_t from = 0; ///< position in nodes: what is needed
  std::uint32_t to = 0;   ///< position in nodes: what needs it
  edge_reason reason;
  bool implied = false; ///< a longer way leads from `from` to `to` too
};

struct view_group {
  std::string_view name;            ///< empty: those without a group
  std::vector<std::uint32_t> nodes; ///< positions
};

/// The selection, resolved.
struct view_model {
  explicit view_model(const graph_view& view);

  const pipeline& p;
  std::vector<view_node> nodes;   ///< in topological order
  std::vector<view_edge> edges;   ///< by `to`, then by `from`
  std::vector<view_group> groups; ///< in order of first appearance; those without a group last, if there are any
  std::uint32_t levels = 0;

  [[nodiscard]] std::string_view name(std::uint32_t position) const { return p.asset(nodes[position].asset).name; }
  [[nodiscard]] std::vector<std::size_t> look_counts() const;
  /// "debian-archive: 24 assets, 38 dependencies; 20 fresh, 4 sources".
  [[nodiscard]] std::string summary() const;

private:
  void add_edges(const graph_view& view);
  void find_implied();
  void put_into_groups();
};

/// visible(), and beyond `most` characters the middle replaced by "…".
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);
/// Characters of a text that is UTF-8.
[[nodiscard]] std::size_t character_count(std::string_view text);
/// For text and attributes in XML; what XML cannot hold must be gone already (see visible()).
[[nodiscard]] std::string xml_escaped(std::string_view text);

} // namespace troupe_internal
