// Looked up, in both directions.
#include "core/schedule/foreign_files.hpp"

namespace troupe_internal {

namespace {

template <class Key>
bool visit_all(const std::multimap<Key, asset_id>& table, Key key, const held_view::visitor& visit) {
  const auto [first, last] = table.equal_range(key);
  for (auto at = first; at != last; ++at)
    if (!visit(at->second))
      return false;
  return true;
}

} // namespace

bool foreign_files::visit_makers(asset_index asset, const held_view::visitor& visit) const {
  return visit_all(reads, asset, visit);
}

bool foreign_readers::visit(asset_id maker, const held_view::visitor& visit) const {
  return visit_all(readers_, maker, visit);
}

std::vector<asset_index> touched_by_living(std::span<neighbour* const> living, const foreign_files& shared,
                                           const index_lookup& index_of) {
  std::vector<asset_index> touched;
  for (const auto* run : living) {
    run->visit_unsettled([&](asset_id id) {
      if (const auto asset = index_of(id))
        touched.push_back(*asset);
      return true;
    });
    for (const auto& [reader, maker] : shared.reads)
      if (run->unsettled(maker))
        touched.push_back(reader);
  }
  return touched;
}

std::vector<asset_index> touched_by_changes(std::span<const asset_id> changed, const foreign_files& shared,
                                            const index_lookup& index_of) {
  std::vector<asset_index> touched;
  for (const auto id : changed) {
    if (const auto asset = index_of(id))
      touched.push_back(*asset);
    for (const auto& [reader, maker] : shared.reads)
      if (maker == id)
        touched.push_back(reader);
  }
  return touched;
}

} // namespace troupe_internal
