// Answers about a graph that is built, and more edges for it.
#include "core/pipeline/asset_graph.hpp"

#include "core/pipeline/cycles.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <tuple>

namespace troupe_internal {

namespace {

/// A text that begins with the literal folders of one pattern, with those of the other spelling of that pattern.
std::string as_spelt(std::string_view text, std::string_view from, std::string_view to) {
  if (from == to)
    return std::string(text);
  const auto start = glob_root(from);
  const auto rest = text.substr(start.empty() || start == "/" ? start.size() : start.size() + 1);
  auto spelt = glob_root(to);
  if (!spelt.empty() && spelt != "/")
    spelt += '/';
  return spelt.append(rest);
}

} // namespace

bool is_excluded(const pipeline& p, const path_identities& same, asset_index asset, std::string_view identity) {
  const auto& all = p.asset(asset).exclusions;
  return std::any_of(all.begin(), all.end(),
                     [&](path_index pattern) { return takes_out(same.pattern(p, pattern), identity); });
}

bool is_emptied(const pipeline& p, const path_identities& same, asset_index asset, std::string_view identity) {
  const auto& all = p.asset(asset).exclusions;
  return std::any_of(all.begin(), all.end(),
                     [&](path_index pattern) { return takes_out_all_beneath(same.pattern(p, pattern), identity); });
}

std::optional<asset_index> asset_graph::maker_of(const pipeline& p, std::string_view identity) const {
  const auto output = outputs_.at_or_above(p, same_, identity);
  return output ? outputs_.maker(*output) : std::nullopt;
}

std::vector<asset_index> asset_graph::makers_of(const pipeline& p, asset_index reader, path_index input) const {
  std::vector<asset_index> makers;
  const auto add = [&](std::optional<asset_index> maker) {
    if (maker && std::find(makers.begin(), makers.end(), *maker) == makers.end())
      makers.push_back(*maker);
  };
  const auto identity = same_.text_of(p, input);
  add(maker_of(p, identity));
  for (const auto& [path, link] : same_.links(input))
    add(maker_of(p, same_.text(p, link)));
  for (const auto other : upstream(reader))
    for (const auto output : p.asset(other).outputs)
      if (same_.is_beneath(same_.text_of(p, output), identity))
        add(other);
  return makers;
}

std::vector<std::string> asset_graph::outputs_taken(const pipeline& p, asset_index reader, path_index glob) const {
  std::vector<std::string> taken;
  const auto without = left_out(reader);
  const auto pattern = same_.pattern(p, glob);
  for (const auto& one : outputs_.related(p, same_, pattern)) {
    const auto identity = same_.text(p, one.output);
    if (one.whole && outputs_.maker(one.output) != reader && !is_excluded(p, same_, reader, identity) &&
        std::find(without.begin(), without.end(), one.output) == without.end())
      taken.push_back(as_spelt(identity, pattern, p.path(glob)));
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

std::vector<file_number> asset_graph::left_out(asset_index reader) const {
  std::vector<file_number> folders;
  for (auto at = std::lower_bound(left_out_.begin(), left_out_.end(), std::pair(reader, file_number()));
       at != left_out_.end() && at->first == reader; ++at)
    folders.push_back(at->second);
  return folders;
}

std::optional<path_index> asset_graph::glob_if_folder(path_index output) const {
  if (taken_for_files_.empty())
    return std::nullopt;
  const auto file = same_.of(output);
  const auto at = std::lower_bound(taken_for_files_.begin(), taken_for_files_.end(), std::pair(file, path_index()));
  return at != taken_for_files_.end() && at->first == file ? std::optional(at->second) : std::nullopt;
}

const recorded_edge* asset_graph::recorded(asset_index needing, asset_index needed) const {
  const auto at = std::lower_bound(
      recorded_.begin(), recorded_.end(), std::pair(needing, needed),
      [](const recorded_edge& edge, const auto& wanted) { return std::pair(edge.needing, edge.needed) < wanted; });
  return at != recorded_.end() && at->needing == needing && at->needed == needed ? &*at : nullptr;
}

asset_graph asset_graph::with_edges(std::vector<recorded_edge> more, std::vector<recorded_edge>& left_out) const {
  asset_graph extended = *this;
  const auto by_ends = [](const recorded_edge& a, const recorded_edge& b) {
    return std::tie(a.needing, a.needed, a.path) < std::tie(b.needing, b.needed, b.path);
  };
  std::sort(more.begin(), more.end(), by_ends);
  const auto rows_with = [&](const std::vector<recorded_edge>& edges) {
    std::vector<asset_index> up;
    std::vector<std::uint32_t> start{0};
    auto next = edges.begin();
    for (std::uint32_t i = 0; i < size(); ++i) {
      const auto first = static_cast<std::ptrdiff_t>(up.size());
      const auto row = upstream(asset_index(i));
      up.insert(up.end(), row.begin(), row.end());
      if (next != edges.end() && next->needing.value == i) {
        for (; next != edges.end() && next->needing.value == i; ++next)
          up.push_back(next->needed);
        std::sort(up.begin() + first, up.end());
        up.erase(std::unique(up.begin() + first, up.end()), up.end());
      }
      start.push_back(static_cast<std::uint32_t>(up.size()));
    }
    return graph_rows(std::move(up), std::move(start));
  };
  extended.rows_ = rows_with(more);
  if (extended.rows_.has_cycle()) {
    const auto part = strong_parts(extended.rows_.targets(), extended.rows_.starts());
    std::vector<recorded_edge> kept;
    for (auto& edge : more)
      (part[edge.needing.value] == part[edge.needed.value] ? left_out : kept).push_back(std::move(edge));
    more = std::move(kept);
    extended.rows_ = rows_with(more);
  }
  extended.recorded_ = std::move(more);
  return extended;
}

} // namespace troupe_internal
