// The edges of a graph that only records and links tell: an asset reported a file that another one makes, or reads it
// through a link. Knows nothing of what is stale.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "core/model/materialization.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/glob.hpp"
#include "engine/catalog.hpp"
#include "engine/examiner.hpp"
#include "engine/file_makers.hpp"
#include "engine/project.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// Collects the edges that records tell. Each path is asked about once.
class edge_finder {
public:
  edge_finder(const project& on, const catalog& names, const posix_file_system& files)
      : graph_(*on.graph), names_(names), makers_(*on.p, *on.graph, files) {}

  void look(asset_index asset, const asset_record& record) {
    if (!record.last)
      return;
    for (const auto& found : record.last->made_from.discovered)
      if (const auto slot = names_.slot_of(found.path))
        for (const auto maker : makers_of(*slot)) {
          const auto known = graph_.upstream(asset);
          if (maker != asset && !std::binary_search(known.begin(), known.end(), maker))
            edges.push_back({asset, maker, std::string(names_.text(*slot))});
        }
  }

  /// What an asset reads through links in its input folders, if `inside`, and through those that its globs found: edges
  /// that are not in `known` go into `to`.
  void follow_links(const pipeline& p, const posix_file_system& files, asset_index asset, const findings& found,
                    bool inside, const std::vector<recorded_edge>& known, std::vector<recorded_edge>& to) {
    const auto add = [&](asset_index maker, const std::string& link) {
      const auto upstream = graph_.upstream(asset);
      recorded_edge edge{asset, maker, link, true};
      const auto is_same = [&](const recorded_edge& other) { return other.needing == asset && other.needed == maker; };
      if (maker != asset && !std::binary_search(upstream.begin(), upstream.end(), maker) &&
          std::none_of(known.begin(), known.end(), is_same) && std::none_of(to.begin(), to.end(), is_same))
        to.push_back(std::move(edge));
    };
    const auto follow_inside = [&](std::string_view folder) {
      for (const auto& link : files.links_inside(folder))
        for (const auto maker : makers_.makers_behind(link))
          add(maker, link);
    };
    bool any_folders = false;
    for (const auto& input : p.asset(asset).inputs) {
      any_folders = any_folders || (input.glob && asks_for_folders(p.path(input.path)));
      if (inside && !input.glob)
        follow_inside(p.path(input.path));
    }
    if (inside && any_folders)
      for (const auto match : found.inputs)
        follow_inside(match);
    for (const auto& [glob, link] : found.links)
      for (const auto maker : makers_.makers_behind(link, p.path(glob)))
        add(maker, link);
  }

  std::vector<recorded_edge> edges;

private:
  const std::vector<asset_index>& makers_of(path_slot slot) {
    const auto [known, is_new] = known_.try_emplace(slot.value);
    if (is_new)
      known->second = makers_.makers_of(names_.text(slot));
    return known->second;
  }

  const asset_graph& graph_;
  const catalog& names_;
  file_makers makers_;
  std::unordered_map<std::uint32_t, std::vector<asset_index>> known_;
};

} // namespace troupe_internal
