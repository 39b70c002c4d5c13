// Explains edges from the pipeline's texts, so that the graph need not remember why it drew them.
#include "core/pipeline/edge_reason.hpp"

#include "base/check.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

std::optional<edge_kind> glob_relation_of(const path_identities& same, std::string_view in, std::string_view out) {
  if (asks_for_folders(in) && relate_to_glob(without_slash(in), out).beneath)
    return edge_kind::contains;
  const auto relation = relate_to_glob(in, out);
  if (relation.matches)
    return edge_kind::glob;
  const std::string root = glob_root(in);
  const bool begins_in = !root.empty() && (root == out || same.is_beneath(root, out));
  return relation.reaches || begins_in ? std::optional(edge_kind::glob_beneath) : std::nullopt;
}

std::optional<edge_kind> relation(const pipeline& p, const path_identities& same, asset_index needing, input_ref input,
                                  path_index output) {
  const std::string_view out = same.text_of(p, output);
  if (input.glob) {
    const auto kind = glob_relation_of(same, same.pattern(p, input.path), out);
    const bool taken_out = kind == edge_kind::glob_beneath ? is_emptied(p, same, needing, out)
                                                           : kind && is_excluded(p, same, needing, out);
    if (kind && !taken_out)
      return kind;
  } else {
    if (same.of(input.path) == same.of(output))
      return edge_kind::file;
    const std::string_view in = same.text_of(p, input.path);
    if (same.is_beneath(in, out))
      return edge_kind::beneath;
    if (same.is_beneath(out, in) && !is_excluded(p, same, needing, out))
      return edge_kind::contains;
  }
  for (const auto& [path, target] : same.links(input.path))
    if (target == same.of(output) || same.is_beneath(same.text(p, target), out) ||
        (!input.glob && same.is_beneath(out, same.text(p, target)) && !is_excluded(p, same, needing, out)))
      return edge_kind::link;
  return std::nullopt;
}

std::optional<edge_reason> explain_inferred(const pipeline& p, const asset_graph& graph, asset_index needing,
                                            asset_index needed) {
  std::optional<edge_reason> best;
  for (const input_ref input : p.asset(needing).inputs)
    for (const path_index output : p.asset(needed).outputs)
      if (const auto kind = relation(p, graph.same(), needing, input, output); kind && (!best || *kind < best->kind)) {
        best = edge_reason{*kind, input.path, output};
        if (*kind == edge_kind::file) // there is none better
          return best;
      }
  if (!best)
    if (const auto* edge = graph.recorded(needing, needed))
      best = edge_reason{edge_kind::recorded, {}, {}, edge->path, edge->by_link};
  return best;
}

} // namespace

/// How the maker spells the file that the input names.
static path_index output_called(const pipeline& p, const asset_graph& graph, asset_index maker, path_index input) {
  if (graph.same().of(input).value == input.value) // as the system spells it: so does the maker, mostly
    return input;
  for (const path_index output : p.asset(maker).outputs)
    if (graph.same().of(output) == graph.same().of(input))
      return output;
  return input;
}

std::optional<edge_reason> explain_edge(const pipeline& p, const asset_graph& graph, asset_index needing,
                                        asset_index needed) {
  const auto deps = p.asset(needing).deps;
  if (std::find(deps.begin(), deps.end(), needed) != deps.end())
    return edge_reason{};
  return explain_inferred(p, graph, needing, needed);
}

std::vector<edge_reason> explain_upstream(const pipeline& p, const asset_graph& graph, asset_index needing) {
  const auto upstream = graph.upstream(needing);
  std::vector<std::optional<edge_reason>> found(upstream.size());
  const auto slot_of = [&](asset_index needed) -> std::optional<edge_reason>& {
    return found[static_cast<std::size_t>(std::lower_bound(upstream.begin(), upstream.end(), needed) -
                                          upstream.begin())];
  };
  for (const asset_index named : p.asset(needing).deps)
    slot_of(named) = edge_reason{};
  for (const input_ref input : p.asset(needing).inputs)
    if (const auto maker = graph.producer(input.path); maker && !input.glob)
      if (auto& slot = slot_of(*maker); !slot)
        slot = edge_reason{edge_kind::file, input.path, output_called(p, graph, *maker, input.path)};
  std::vector<edge_reason> reasons;
  reasons.reserve(upstream.size());
  for (std::size_t k = 0; k < upstream.size(); ++k) {
    if (!found[k])
      found[k] = explain_inferred(p, graph, needing, upstream[k]);
    TROUPE_CHECK(found[k].has_value(), "every edge of the graph has a reason");
    reasons.push_back(*found[k]);
  }
  return reasons;
}

std::string in_words(const pipeline& p, const edge_reason& reason, asset_index needed) {
  const std::string name(p.asset(needed).name);
  if (reason.kind == edge_kind::name)
    return "named in its deps";
  if (reason.kind == edge_kind::recorded && reason.by_link)
    return "the link " + std::string(reason.reported) + " in its inputs leads to what " + name + " makes";
  if (reason.kind == edge_kind::recorded)
    return "its last attempt reported " + std::string(reason.reported) + " as an input, which " + name + " makes";
  const std::string input(p.path(reason.input));
  const std::string output(p.path(reason.output));
  switch (reason.kind) {
  case edge_kind::beneath:
    return "its input " + input + " lies in " + output + ", an output of " + name;
  case edge_kind::contains:
    return "its input " + input + " contains " + output + ", an output of " + name;
  case edge_kind::glob:
    return "its input " + input + " matches " + output + ", an output of " + name;
  case edge_kind::glob_beneath:
    return "its input " + input + " looks into " + output + ", an output of " + name;
  case edge_kind::link:
    return "its input " + input + " is a link into " + output + ", an output of " + name;
  case edge_kind::file:
    if (input != output)
      return "its input " + input + " is " + output + ", an output of " + name;
    break;
  case edge_kind::name:
  case edge_kind::recorded:
    break;
  }
  return "its input " + input + " is an output of " + name;
}

} // namespace troupe_internal
