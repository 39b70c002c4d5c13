// Ids for names.
#include "engine/state_names.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace troupe_internal {

namespace {

/// Names of one event: bounded, so that no record of the journal is large.
constexpr std::size_t names_per_event = 256;

/// Calls `add(number of the first, texts)` for some of those from `from` on at a time.
template <class Add>
void in_chunks(const interner& names, std::uint32_t from, Add add) {
  const auto all = names.texts(from);
  for (std::size_t i = 0; i < all.size(); i += names_per_event) {
    const auto part = all.subspan(i, std::min(names_per_event, all.size() - i));
    add(from + static_cast<std::uint32_t>(i), std::vector<std::string>(part.begin(), part.end()));
  }
}

} // namespace

asset_id state_names::asset(std::string_view name, std::string identity) {
  const std::lock_guard lock(mutex_);
  if (!identity.empty())
    if (const auto known = by_identity_.find(identity); known != by_identity_.end())
      return asset_id(first_asset_ + known->second);
  const auto before = assets_.size();
  const auto number = assets_.intern(name);
  if (!identity.empty() && assets_.size() > before) {
    by_identity_.emplace(identity, number);
    identities_.emplace(number, std::move(identity));
  }
  return asset_id(first_asset_ + number);
}

path_id state_names::path(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return path_id(first_path_ + paths_.intern(name));
}

std::vector<event> state_names::take_new() {
  const std::lock_guard lock(mutex_);
  std::vector<event> events;
  in_chunks(assets_, taken_assets_, [&](std::uint32_t number, std::vector<std::string> names) {
    names_interned chunk{asset_id(first_asset_ + number), std::move(names), {}};
    const auto end = number + static_cast<std::uint32_t>(chunk.names.size());
    for (auto at = identities_.lower_bound(number); at != identities_.end() && at->first < end; ++at) {
      chunk.identities.resize(chunk.names.size());
      chunk.identities[at->first - number] = std::move(at->second);
    }
    events.emplace_back(std::move(chunk));
  });
  in_chunks(paths_, taken_paths_, [&](std::uint32_t number, std::vector<std::string> names) {
    events.emplace_back(paths_interned{path_id(first_path_ + number), std::move(names)});
  });
  taken_assets_ = static_cast<std::uint32_t>(assets_.size());
  taken_paths_ = static_cast<std::uint32_t>(paths_.size());
  identities_.clear();
  return events;
}

} // namespace troupe_internal
