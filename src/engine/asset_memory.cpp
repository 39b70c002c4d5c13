// What a state remembers of one asset, whether or not the runs in which it was made are kept.
#include "engine/project.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"

namespace troupe_internal {

result<std::optional<remembered_asset>> remember_asset(const std::string& state_folder, const std::string& pipeline,
                                                       const std::string& asset) {
  const auto snapshot = open_snapshot(state_folder);
  if (!snapshot) {
    if (snapshot.error().code == error_code::not_found)
      return std::optional<remembered_asset>();
    return snapshot.error();
  }
  std::optional<remembered_asset> found;
  std::optional<error> failure;
  const auto visited = (*snapshot)->visit_asset_names([&](asset_id id, std::string_view name) {
    const auto slash = name.find('/');
    if (slash == std::string_view::npos || name.substr(slash + 1) != asset ||
        (!pipeline.empty() && name.substr(0, slash) != pipeline))
      return true;
    remembered_asset one{std::string(name.substr(0, slash)), {}};
    const auto read = (*snapshot)->read_asset(id, one.record);
    if (!read)
      failure = read.error();
    // Where several pipelines have an asset of this name, the one that ran last is meant.
    else if (*read && (!found || found->record.attempt_run < one.record.attempt_run))
      found = std::move(one);
    return !failure;
  });
  if (!visited)
    return visited.error();
  if (failure)
    return *failure;
  return found;
}

} // namespace troupe_internal
