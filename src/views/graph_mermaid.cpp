// The graph in Mermaid's language. Nodes are named n0, n1 … by position; labels hold nothing but letters, digits,
// blanks and entities, so that no name can be taken for syntax, HTML or Markdown.
#include "views/graph_style.hpp"
#include "views/view_model.hpp"

namespace troupe_internal {
namespace {

constexpr std::size_t widest_mermaid_label = 60;

std::string mermaid_quoted(std::string_view text) {
  std::string safe = "\"";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
                       c == ' ' || static_cast<std::uint8_t>(c) >= 0x80;
    if (plain)
      safe += c;
    else
      safe += "#" + std::to_string(static_cast<int>(c)) + ";";
  }
  return safe + "\"";
}

struct brackets {
  const char* open;
  const char* close;
};

brackets mermaid_shape(node_look look) {
  switch (look) {
  case node_look::source:
    return {"[(", ")]"}; // a cylinder
  case node_look::maybe:
  case node_look::stale:
    return {"[", "]"}; // a box
  case node_look::running:
    return {"[[", "]]"}; // a box with double sides
  case node_look::failed:
    return {"{{", "}}"}; // a hexagon
  case node_look::fresh:
  case node_look::unknown:
    break;
  }
  return {"(", ")"}; // rounded
}

std::string mermaid_node(const view_model& model, std::uint32_t n) {
  const node_look look = model.nodes[n].look;
  const brackets shape = mermaid_shape(look);
  return "n" + std::to_string(n) + shape.open + mermaid_quoted(shortened(model.name(n), widest_mermaid_label)) +
         shape.close + ":::" + std::string(look_class(look)) + "\n";
}

} // namespace

std::string graph_as_mermaid(const graph_view& view) {
  const view_model model(view);
  std::string text = "flowchart LR\n";
  for (std::size_t g = 0; g < model.groups.size(); ++g) {
    const view_group& group = model.groups[g];
    const bool boxed = !group.name.empty();
    if (boxed)
      text += "  subgraph g" + std::to_string(g) + "[" + mermaid_quoted(shortened(group.name, widest_mermaid_label)) +
              "]\n";
    for (const std::uint32_t n : group.nodes)
      text += (boxed ? "    " : "  ") + mermaid_node(model, n);
    if (boxed)
      text += "  end\n";
  }
  for (const auto& e : model.edges)
    text += "  n" + std::to_string(e.from) + (e.implied ? " -.-> " : " --> ") + "n" + std::to_string(e.to) + "\n";
  const auto counts = model.look_counts();
  for (std::size_t look = 0; look < counts.size(); ++look) {
    if (counts[look] == 0)
      continue;
    const node_colours& colours = light_scheme.nodes[look]; // text and fill both given: readable in a dark theme too
    text += "  classDef " + std::string(look_class(static_cast<node_look>(look))) + " fill:" + colours.fill +
            ",stroke:" + colours.line + ",color:" + light_scheme.text +
            (static_cast<node_look>(look) == node_look::stale || static_cast<node_look>(look) == node_look::maybe
                 ? ",stroke-dasharray:4 3"
                 : "") +
            "\n";
  }
  return text;
}

} // namespace troupe_internal
