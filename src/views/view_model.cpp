// Resolving a selection into nodes and edges; edges that a longer way implies are found with one bitmap a node.
#include "views/view_model.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe_internal {
namespace {

constexpr std::size_t most_nodes_for_implied = 3000; // bitmaps of all nodes: about 1 MB there; beyond, nobody looks
constexpr std::uint32_t not_shown = 0xFFFFFFFFU;

node_look look_of(const graph_view& view, asset_index i) {
  if (view.p.is_source(i))
    return node_look::source;
  switch (i.value < view.status.size() ? view.status[i.value] : node_status::unknown) {
  case node_status::fresh:
    return node_look::fresh;
  case node_status::maybe:
    return node_look::maybe;
  case node_status::stale:
    return node_look::stale;
  case node_status::running:
    return node_look::running;
  case node_status::failed:
    return node_look::failed;
  case node_status::unknown:
    break;
  }
  return node_look::unknown;
}

} // namespace

std::string_view look_words(node_look look) {
  return look == node_look::maybe ? "maybe stale" : look_class(look);
}

std::string_view look_class(node_look look) {
  switch (look) {
  case node_look::source:
    return "source";
  case node_look::unknown:
    return "unknown";
  case node_look::fresh:
    return "fresh";
  case node_look::maybe:
    return "maybe";
  case node_look::stale:
    return "stale";
  case node_look::running:
    return "running";
  case node_look::failed:
    return "failed";
  }
  return "unknown";
}

view_model::view_model(const graph_view& view) : p(view.p) {
  std::vector<bool> selected(view.graph.size(), false);
  for (const asset_index i : view.selection)
    selected[i.value] = true;
  for (const asset_index i : view.graph.topological_order())
    if (selected[i.value])
      nodes.push_back({i, 0, look_of(view, i)});
  add_edges(view);
  find_implied();
  put_into_groups();
}

void view_model::add_edges(const graph_view& view) {
  std::vector<std::uint32_t> position(view.graph.size(), not_shown);
  for (std::uint32_t n = 0; n < nodes.size(); ++n)
    position[nodes[n].asset.value] = n;
  for (std::uint32_t n = 0; n < nodes.size(); ++n) {
    const auto upstream = view.graph.upstream(nodes[n].asset);
    const auto reasons = explain_upstream(p, view.graph, nodes[n].asset);
    const std::size_t first = edges.size();
    for (std::size_t k = 0; k < upstream.size(); ++k) {
      const std::uint32_t from = position[upstream[k].value];
      if (from == not_shown)
        continue;
      edges.push_back({from, n, reasons[k], false});
      nodes[n].level = std::max(nodes[n].level, nodes[from].level + 1);
    }
    std::sort(edges.begin() + static_cast<std::ptrdiff_t>(first), edges.end(),
              [](const view_edge& a, const view_edge& b) { return a.from < b.from; });
    levels = std::max(levels, nodes[n].level + 1);
  }
}

/// An edge is implied if another of its target's edges comes from something that its own origin leads to.
void view_model::find_implied() {
  if (nodes.size() > most_nodes_for_implied)
    return;
  std::vector<std::vector<bool>> above(nodes.size(), std::vector<bool>(nodes.size(), false));
  for (auto first = edges.begin(); first != edges.end();) {
    const std::uint32_t to = first->to;
    const auto last = std::find_if(first, edges.end(), [&](const view_edge& e) { return e.to != to; });
    std::vector<bool>& all = above[to];
    for (auto e = first; e != last; ++e)
      for (std::size_t n = 0; n < e->from; ++n) // what is above stands before, in topological order
        if (above[e->from][n])
          all[n] = true;
    for (auto e = first; e != last; ++e)
      e->implied = all[e->from];
    for (auto e = first; e != last; ++e)
      all[e->from] = true;
    first = last;
  }
}

void view_model::put_into_groups() {
  std::unordered_map<std::string_view, std::size_t> known;
  view_group without;
  for (std::uint32_t n = 0; n < nodes.size(); ++n) {
    const std::string& group = p.settings_of(nodes[n].asset).group;
    if (group.empty()) {
      without.nodes.push_back(n);
      continue;
    }
    const auto [entry, is_new] = known.try_emplace(group, groups.size());
    if (is_new)
      groups.push_back({group, {}});
    groups[entry->second].nodes.push_back(n);
  }
  if (!without.nodes.empty())
    groups.push_back(std::move(without));
}

std::vector<std::size_t> view_model::look_counts() const {
  std::vector<std::size_t> counts(node_look_count, 0);
  for (const auto& node : nodes)
    ++counts[static_cast<std::size_t>(node.look)];
  return counts;
}

std::string view_model::summary() const {
  std::string text = visible(p.name) + ": " + std::to_string(nodes.size()) +
                     (nodes.size() == 1 ? " asset, " : " assets, ") + std::to_string(edges.size()) +
                     (edges.size() == 1 ? " dependency" : " dependencies");
  const auto counts = look_counts();
  const char* separator = "; ";
  for (const auto look : {node_look::failed, node_look::running, node_look::stale, node_look::maybe, node_look::fresh,
                          node_look::source}) {
    const std::size_t count = counts[static_cast<std::size_t>(look)];
    if (count == 0)
      continue;
    text += separator + std::to_string(count) + " " + std::string(look_words(look)) +
            (look == node_look::source && count > 1 ? "s" : "");
    separator = ", ";
  }
  return text;
}

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80; }));
}

std::string shortened(std::string_view text, std::size_t most) {
  const std::string safe = visible(text);
  const std::size_t count = character_count(safe);
  if (count <= most)
    return safe;
  const std::size_t head = most - most / 3; // the end of a name, with its matrix values, matters too
  const std::size_t tail_from = count - (most - head - 1);
  std::string cut;
  std::size_t n = 0;
  for (std::size_t i = 0; i < safe.size(); ++n) {
    const std::size_t length = decode_utf8(std::string_view(safe).substr(i)).bytes;
    if (n < head || n >= tail_from)
      cut += safe.substr(i, length);
    else if (n == head)
      cut += "…";
    i += length;
  }
  return cut;
}

std::string xml_escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

} // namespace troupe_internal
