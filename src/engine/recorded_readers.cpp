// One record after the other.
#include "engine/recorded_readers.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "engine/catalog.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace troupe_internal {

namespace {

/// Visits the assets that reported inputs; no state: none.
result<void> visit_reported(const project& on, const std::vector<asset_index>& assets,
                            const std::function<void(catalog&, asset_index, const std::vector<file_version>&)>& visit) {
  auto snapshot = open_snapshot(on.state_folder);
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? result<void>() : snapshot.error();
  auto names = catalog::load(*on.p, *on.graph, snapshot->get());
  if (!names)
    return names.error();
  asset_record record;
  for (const auto asset : assets) {
    if (!(*names)->was_known((*names)->id_of(asset)))
      continue;
    const auto known = (*snapshot)->read_asset((*names)->id_of(asset), record);
    if (!known)
      return known.error();
    if (*known && record.last && !record.last->made_from.discovered.empty())
      visit(**names, asset, record.last->made_from.discovered);
  }
  return {};
}

} // namespace

result<std::vector<asset_index>> recorded_readers(const project& on, const std::string& file) {
  std::vector<asset_index> all, readers;
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i)
    all.emplace_back(i);
  const auto visited = visit_reported(on, all, [&](catalog& names, asset_index asset, const auto& reported) {
    if (std::any_of(reported.begin(), reported.end(),
                    [&](const file_version& one) { return names.path_text(one.path) == file; }))
      readers.push_back(asset);
  });
  if (!visited)
    return visited.error();
  return readers;
}

result<std::vector<std::string>> recorded_inputs(const project& on, const std::vector<asset_index>& assets) {
  std::set<std::string> files;
  const auto visited = visit_reported(on, assets, [&](catalog& names, asset_index, const auto& reported) {
    for (const auto& one : reported)
      files.emplace(names.path_text(one.path));
  });
  if (!visited)
    return visited.error();
  return std::vector<std::string>(files.begin(), files.end());
}

} // namespace troupe_internal
