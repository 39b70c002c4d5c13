// An edge leads from a trigger to each one that follows an asset which its runs may make.
#include "config/trigger_circles.hpp"

#include "core/pipeline/selection.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::config {
namespace {

using asset_flags = std::vector<bool>; // by asset_index

asset_flags made_by(const trigger& one, const pipeline& p, const asset_graph& graph) {
  asset_flags made(p.assets.size(), false);
  auto selected = select_assets(p, graph, one.select);
  if (!selected)
    return made;
  if (!one.exclude.empty())
    if (const auto excluded = select_assets(p, graph, one.exclude))
      std::erase_if(*selected, [&](asset_index asset) {
        return std::find(excluded->begin(), excluded->end(), asset) != excluded->end();
      });
  for (const auto asset : with_upstream(graph, *selected))
    made[asset.value] = true;
  return made;
}

bool follows(const assets_source& source, const pipeline& p, const asset_flags& made) {
  for (const auto& reference : source.assets) {
    if (!reference.pipeline.empty() && reference.pipeline != p.name)
      continue;
    for (std::uint32_t i = 0; i < made.size(); ++i) {
      const std::string_view name = p.assets[i].name;
      if (made[i] && (name == reference.asset || name.starts_with(reference.asset + "[")))
        return true;
    }
  }
  return false;
}

struct circle_finder {
  const std::vector<const trigger*>& triggers;
  const std::vector<std::vector<std::size_t>>& causes; ///< by trigger: whom it causes
  std::vector<std::uint8_t> state;                     ///< 0: not seen, 1: on the path, 2: done
  std::vector<std::size_t> path;
  diagnostics& out;

  void visit(std::size_t one) {
    state[one] = 1;
    path.push_back(one);
    for (const auto next : causes[one]) {
      if (state[next] == 1)
        tell(next);
      else if (state[next] == 0)
        visit(next);
    }
    path.pop_back();
    state[one] = 2;
  }
  void tell(std::size_t first) {
    std::string text;
    for (auto at = std::find(path.begin(), path.end(), first); at != path.end(); ++at)
      text += triggers[*at]->name + " -> ";
    out.warning(triggers[first]->where, "trigger_circle",
                "triggers cause each other in a circle: " + text + triggers[first]->name +
                    ". Each of their runs may make an asset that the next one follows. A trigger is paused when it "
                    "comes round for the fourth time");
  }
};

} // namespace

void warn_of_circles(const trigger_set& set, const pipeline& p, const asset_graph& graph, diagnostics& out) {
  std::vector<const trigger*> followers;
  for (const auto& one : set.triggers)
    if (one.enabled && std::holds_alternative<assets_source>(one.source))
      followers.push_back(&one);
  if (followers.empty())
    return;
  std::vector<std::vector<std::size_t>> causes(followers.size());
  for (std::size_t from = 0; from < followers.size(); ++from) {
    const auto made = made_by(*followers[from], p, graph);
    for (std::size_t to = 0; to < followers.size(); ++to) {
      const auto& source = std::get<assets_source>(followers[to]->source);
      if ((from != to || source.self) && follows(source, p, made))
        causes[from].push_back(to);
    }
  }
  circle_finder finder{followers, causes, std::vector<std::uint8_t>(followers.size(), 0), {}, out};
  for (std::size_t one = 0; one < followers.size(); ++one)
    if (finder.state[one] == 0)
      finder.visit(one);
}

} // namespace troupe_internal::config
