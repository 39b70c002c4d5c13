// The graph as a JSON document, with what makes each edge.
#include "base/json_writer.hpp"
#include "views/view_model.hpp"

namespace troupe_internal {
namespace {

std::string_view word_of(edge_kind kind) {
  switch (kind) {
  case edge_kind::name:
    return "name";
  case edge_kind::file:
    return "file";
  case edge_kind::beneath:
    return "beneath";
  case edge_kind::contains:
    return "contains";
  case edge_kind::glob:
    return "glob";
  case edge_kind::glob_beneath:
    return "glob_beneath";
  case edge_kind::link:
    return "link";
  case edge_kind::recorded:
    return "recorded";
  }
  return "name";
}

/// ,"name":"text" (the comma unless it is the first member).
void member(std::string& out, std::string_view name, std::string_view text, bool first = false) {
  out += first ? "\"" : ",\"";
  out += name;
  out += "\":";
  append_json_string(out, text);
}

/// ,"name":["…","…"] of what `text_of` makes of each item.
template <class Items, class TextOf>
void member_list(std::string& out, std::string_view name, const Items& items, const TextOf& text_of) {
  out += ",\"";
  out += name;
  out += "\":[";
  bool first = true;
  for (const auto& item : items) {
    out += first ? "" : ",";
    append_json_string(out, text_of(item));
    first = false;
  }
  out += ']';
}

void write_node(std::string& out, const view_model& model, const view_node& node) {
  const pipeline& p = model.p;
  const asset_spec& asset = p.asset(node.asset);
  const asset_declaration& declared = p.declaration(node.asset);
  const std::string& group = declared.settings->group;
  out += '{';
  member(out, "name", asset.name, true);
  member(out, "asset", declared.name);
  out += ",\"matrix\":{";
  for (std::size_t k = 0; k < asset.matrix.size(); ++k)
    member(out, asset.matrix[k].variable, asset.matrix[k].value, k == 0);
  out += '}';
  if (group.empty())
    out += ",\"group\":null";
  else
    member(out, "group", group);
  member_list(out, "tags", declared.settings->tags, [](const std::string& tag) { return std::string_view(tag); });
  member(out, "kind", node.look == node_look::source ? "source" : "command");
  member(out, "status", look_class(node.look));
  member(out, "description", declared.description);
  member_list(out, "inputs", asset.inputs, [&](input_ref input) { return p.path(input.path); });
  member_list(out, "outputs", asset.outputs, [&](path_index output) { return p.path(output); });
  out += '}';
}

void write_edge(std::string& out, const view_model& model, const view_edge& edge) {
  out += '{';
  member(out, "from", model.name(edge.from), true);
  member(out, "to", model.name(edge.to));
  member(out, "kind", word_of(edge.reason.kind));
  if (edge.reason.kind == edge_kind::name)
    out += ",\"via\":null";
  else if (edge.reason.kind == edge_kind::recorded)
    member(out, "via", edge.reason.reported);
  else
    member(out, "via", model.p.path(edge.reason.input));
  out += '}';
}

} // namespace

std::string graph_as_json(const graph_view& view) {
  const view_model model(view);
  std::string out = "{\"format\":1";
  member(out, "pipeline", view.p.name);
  out += ",\"nodes\":[";
  for (std::size_t n = 0; n < model.nodes.size(); ++n) {
    out += n == 0 ? "" : ",";
    write_node(out, model, model.nodes[n]);
  }
  out += "],\"edges\":[";
  for (std::size_t e = 0; e < model.edges.size(); ++e) {
    out += e == 0 ? "" : ",";
    write_edge(out, model, model.edges[e]);
  }
  return out + "]}\n";
}

} // namespace troupe_internal
