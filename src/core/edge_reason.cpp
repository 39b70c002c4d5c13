// Explains edges from the pipeline's texts, so that the graph need not remember why it drew them.
#include "core/edge_reason.hpp"

#include "base/check.hpp"
#include "core/glob.hpp"
#include "core/parent_paths.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::optional<edge_kind> relation(const pipeline& p, input_ref input, path_index output) {
  if (!input.glob && input.path == output)
    return edge_kind::file;
  const std::string_view in = p.path(input.path);
  const std::string_view out = p.path(output);
  if (input.glob) {
    if (glob_matches(in, out))
      return edge_kind::glob;
    const std::string root = glob_root(in);
    return !root.empty() && (root == out || lies_beneath(root, out)) ? std::optional(edge_kind::glob_beneath)
                                                                     : std::nullopt;
  }
  if (lies_beneath(in, out))
    return edge_kind::beneath;
  return lies_beneath(out, in) ? std::optional(edge_kind::contains) : std::nullopt;
}

std::optional<edge_reason> explain_inferred(const pipeline& p, asset_index needing, asset_index needed) {
  std::optional<edge_reason> best;
  for (const input_ref input : p.asset(needing).inputs)
    for (const path_index output : p.asset(needed).outputs)
      if (const auto kind = relation(p, input, output); kind && (!best || *kind < best->kind)) {
        best = edge_reason{*kind, input.path, output};
        if (*kind == edge_kind::file) // there is none better
          return best;
      }
  return best;
}

} // namespace

std::optional<edge_reason> explain_edge(const pipeline& p, asset_index needing, asset_index needed) {
  const auto deps = p.asset(needing).deps;
  if (std::find(deps.begin(), deps.end(), needed) != deps.end())
    return edge_reason{};
  return explain_inferred(p, needing, needed);
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
        slot = edge_reason{edge_kind::file, input.path, input.path};
  std::vector<edge_reason> reasons;
  reasons.reserve(upstream.size());
  for (std::size_t k = 0; k < upstream.size(); ++k) {
    if (!found[k])
      found[k] = explain_inferred(p, needing, upstream[k]);
    TROUPE_CHECK(found[k].has_value(), "every edge of the graph has a reason");
    reasons.push_back(*found[k]);
  }
  return reasons;
}

std::string in_words(const pipeline& p, const edge_reason& reason, asset_index needed) {
  const std::string name(p.asset(needed).name);
  if (reason.kind == edge_kind::name)
    return "named in its deps";
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
  case edge_kind::file:
  case edge_kind::name:
    break;
  }
  return "its input " + input + " is an output of " + name;
}

} // namespace troupe
