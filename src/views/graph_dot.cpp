// The graph in Graphviz's language. Nodes are named n0, n1 … by position, so that no name ever needs quoting as an
// identifier, and the SVG made of it can be found again by them.
#include "views/graph_style.hpp"
#include "views/view_model.hpp"

namespace troupe_internal {
namespace {

constexpr std::size_t widest_dot_label = 44;

/// A label in quotes. Graphviz reads backslash sequences and HTML entities in it.
std::string dot_quoted(std::string_view text) {
  std::string safe = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      safe += '\\';
    safe += c;
    if (c == '&')
      safe += "amp;";
  }
  return safe + "\"";
}

/// Shape and outline tell what colour tells, for those who do not see it.
const char* dot_shape(node_look look) {
  switch (look) {
  case node_look::source:
    return "shape=note style=filled";
  case node_look::maybe:
    return "style=\"rounded,filled,dotted\" penwidth=1.8";
  case node_look::stale:
    return "style=\"rounded,filled,dashed\"";
  case node_look::running:
    return "penwidth=2.6";
  case node_look::failed:
    return "style=\"filled,diagonals\" penwidth=1.6";
  case node_look::fresh:
  case node_look::unknown:
    break;
  }
  return "";
}

std::string dot_node(const view_model& model, std::uint32_t n) {
  const node_look look = model.nodes[n].look;
  const node_colours& colours = light_scheme.nodes[static_cast<std::size_t>(look)];
  const std::string shape = dot_shape(look);
  return "n" + std::to_string(n) + " [label=" + dot_quoted(shortened(model.name(n), widest_dot_label)) + " class=\"" +
         std::string(look_class(look)) + "\" fillcolor=\"" + colours.fill + "\" color=\"" + colours.line + "\"" +
         (shape.empty() ? "" : " " + shape) + "];\n";
}

std::string heading() {
  const std::string font = "fontname=\"Helvetica,Arial,sans-serif\" ";
  return "  graph [rankdir=LR bgcolor=transparent nodesep=0.16 ranksep=0.75 pad=0.25 " + font +
         "fontsize=12 fontcolor=\"" + light_scheme.dim_text + "\"];\n  node [shape=box style=\"rounded,filled\" " +
         font + "fontsize=12 fontcolor=\"" + light_scheme.text +
         "\" height=0.34 margin=\"0.14,0.05\" penwidth=1.2];\n  edge [color=\"" + light_scheme.edge +
         "\" arrowsize=0.6 penwidth=1.1];\n";
}

} // namespace

std::string graph_as_dot(const graph_view& view) {
  const view_model model(view);
  std::string text = "digraph " + dot_quoted(visible(model.p.name)) + " {\n" + heading();
  for (std::size_t g = 0; g < model.groups.size(); ++g) {
    const view_group& group = model.groups[g];
    const bool boxed = !group.name.empty();
    if (boxed)
      text += "  subgraph cluster_" + std::to_string(g) +
              " {\n    graph [label=" + dot_quoted(shortened(group.name, widest_dot_label)) +
              " labeljust=l style=\"rounded,filled\" fillcolor=\"" + light_scheme.group_fill + "\" color=\"" +
              light_scheme.group_line + "\" margin=12];\n";
    for (const std::uint32_t n : group.nodes)
      text += (boxed ? "    " : "  ") + dot_node(model, n);
    if (boxed)
      text += "  }\n";
  }
  for (const auto& e : model.edges) {
    text += "  n" + std::to_string(e.from) + " -> n" + std::to_string(e.to);
    if (e.implied) // drawn, but it neither shapes the picture nor catches the eye
      text += std::string(" [class=\"implied\" color=\"") + light_scheme.implied_edge + "\" weight=0]";
    text += ";\n";
  }
  return text + "}\n";
}

} // namespace troupe_internal
