// Names to ids and back.
#include "engine/catalog.hpp"

#include "adapters/system/start_thread.hpp"
#include "base/check.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/matrix_identity.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <future>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>

namespace troupe_internal {

result<std::unique_ptr<catalog>> catalog::load(const pipeline& p, const asset_graph& graph,
                                               const journal_snapshot* snapshot, std::shared_ptr<state_names> ids,
                                               bool beside) {
  std::unique_ptr<catalog> c(new catalog(p));
  c->own_names_ = ids == nullptr;
  c->ids_ = ids ? std::move(ids)
                : std::make_shared<state_names>(snapshot != nullptr ? snapshot->info().asset_count : 0,
                                                snapshot != nullptr ? snapshot->info().path_count : 0);
  c->prefix_ = p.name + "/";
  c->asset_ids_.assign(p.assets.size(), asset_id(none));
  c->own_ids_.assign(p.paths.size(), none);
  if (snapshot != nullptr) {
    if (const auto loaded = c->load_names(*snapshot, beside); !loaded)
      return loaded.error();
  }
  for (const auto asset : graph.topological_order()) {
    if (c->asset_ids_[asset.value] == asset_id(none)) {
      const auto id = c->ids_->asset(c->prefix_ + std::string(p.asset(asset).name), c->identity_of(asset));
      if (id.value >= c->asset_of_.size())
        c->asset_of_.resize(id.value + 1, none);
      c->asset_of_[id.value] = asset.value;
      c->asset_ids_[asset.value] = id;
    }
    const auto give = [&](path_index path) {
      if (c->own_ids_[path.value] == none)
        c->give_path_id(path_slot(path.value));
    };
    const auto& spec = p.asset(asset);
    for (std::size_t k = 0; k < spec.inputs.size(); ++k) {
      if (spec.inputs[k].glob)
        continue;
      const auto path = spec.inputs[k].path;
      if (spec.exclusions.empty()) {
        give(path);
        continue;
      }
      // A link to a folder counts as that folder.
      const auto& same = graph.same();
      const auto links = same.links(path);
      const auto identity = links.empty() ? same.text_of(p, path) : same.text(p, links.back().second);
      const auto slot = c->filtered_slot_of(same, asset, p.path(path), identity);
      if (slot.value >= p.paths.size())
        c->filtered_.emplace(std::uint64_t(asset.value) << 32U | k, slot);
    }
    for (const auto output : p.asset(asset).outputs)
      give(output);
  }
  return c;
}

path_slot catalog::filtered_slot_of(const path_identities& same, asset_index asset, std::string_view path,
                                    std::string_view identity) {
  std::vector<std::string_view> as_written;
  std::vector<std::string_view> resolved;
  for (const auto pattern : p_.asset(asset).exclusions) {
    as_written.push_back(p_.path(pattern));
    resolved.push_back(same.pattern(p_, pattern));
  }
  std::string name(path);
  add_spelling(name, path, as_written);
  if (identity != path || as_written != resolved)
    add_spelling(name, identity, resolved);
  return slot_of(name);
}

std::string catalog::identity_of(asset_index asset) const {
  auto identity = matrix_identity(p_, asset);
  return identity.empty() ? identity : prefix_ + identity;
}

result<void> catalog::load_names(const journal_snapshot& snapshot, bool beside) {
  // Assets and paths have nothing to do with each other.
  constexpr std::uint32_t worth_a_thread = 10'000;
  const auto twin = beside && snapshot.info().path_count >= worth_a_thread ? snapshot.twin() : nullptr;
  std::packaged_task<result<void>()> load_them([&] { return load_paths(twin ? *twin : snapshot); });
  auto paths = load_them.get_future();
  std::thread thread;
  if (twin) {
    try {
      thread = start_thread([&] { load_them(); });
    } catch (const std::system_error&) { // none to be had
    }
  }
  if (!thread.joinable())
    load_them();
  std::exception_ptr thrown;
  auto assets = result<void>();
  try {
    assets = load_assets(snapshot);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thread.joinable())
    thread.join();
  if (thrown)
    std::rethrow_exception(thrown);
  auto loaded = paths.get();
  return assets ? loaded : assets;
}

result<void> catalog::load_assets(const journal_snapshot& snapshot) {
  asset_of_.assign(snapshot.info().asset_count, none);
  known_assets_ = snapshot.info().asset_count;
  // By id, in order; views into the snapshot.
  std::vector<std::pair<std::uint32_t, std::string_view>> recorded;
  const auto identities = snapshot.visit_identities([&](asset_id id, std::string_view identity) {
    if (identity.starts_with(prefix_) && id.value < known_assets_)
      recorded.emplace_back(id.value, identity);
    return true;
  });
  if (!identities)
    return identities.error();
  const auto take = [&](asset_index asset, asset_id id) {
    asset_of_[id.value] = asset.value;
    asset_ids_[asset.value] = id;
  };

  // First by identity, whatever the names are by now. Ids were given in the order in which the graph has its assets, so
  // the next one is mostly the next one.
  std::uint32_t next = 0;
  std::unordered_map<std::string, std::uint32_t> by_identity; // made when it is first needed
  for (const auto& [id, identity] : recorded) {
    auto asset = next < p_.assets.size() && identity_of(asset_index(next)) == identity ? next : none;
    if (asset == none) {
      for (std::uint32_t i = by_identity.empty() ? 0 : none; i < p_.assets.size(); ++i)
        by_identity.emplace(identity_of(asset_index(i)), i); // those without one share one entry, which nobody asks for
      const auto found = by_identity.find(std::string(identity));
      asset = found == by_identity.end() ? none : found->second;
    }
    if (asset == none)
      continue;
    take(asset_index(asset), asset_id(id));
    next = asset + 1;
  }

  // Then by name: what has no identity, or had none when it was recorded, or whose variables have other names now.
  next = 0;
  auto known = recorded.begin();
  const auto rename = [&](asset_id id, std::string name, std::string identity) {
    renamed_.emplace_back(asset_renamed{id, std::move(name), std::move(identity)});
  };
  return snapshot.visit_asset_names([&](asset_id id, std::string_view full_name) {
    if (!full_name.starts_with(prefix_) || id.value >= asset_of_.size())
      return true;
    const auto name = full_name.substr(prefix_.size());
    while (known != recorded.end() && known->first < id.value)
      ++known;
    const auto identity = known != recorded.end() && known->first == id.value ? known->second : std::string_view();
    if (asset_of_[id.value] != none) {
      if (const auto& shown = p_.assets[asset_of_[id.value]].name; shown != name)
        rename(id, prefix_ + std::string(shown), std::string(identity));
      return true;
    }
    const auto index =
        next < p_.assets.size() && p_.assets[next].name == name ? std::optional(asset_index(next)) : p_.find(name);
    if (index && asset_ids_[index->value] == asset_id(none)) {
      next = index->value + 1;
      take(*index, id);
      if (auto now = identity_of(*index); !now.empty())
        rename(id, std::string(full_name), std::move(now));
      return true;
    }
    // Two of one name would not be told apart: what is gone from the file is shown by its identity.
    const bool shown_by_identity = index && !identity.empty();
    other_assets_.emplace_back(id, shown_by_identity ? identity.substr(prefix_.size()) : name);
    if (shown_by_identity)
      rename(id, std::string(identity), std::string(identity));
    return true;
  });
}

result<void> catalog::load_paths(const journal_snapshot& snapshot) {
  slot_of_id_.assign(snapshot.info().path_count, none);
  std::uint32_t next = 0;
  return snapshot.visit_paths([&](path_id id, std::string_view path) {
    if (!path.starts_with(prefix_) || id.value >= slot_of_id_.size())
      return true;
    path.remove_prefix(prefix_.size());
    const auto index = next < p_.paths.size() && p_.paths.text(next) == path ? next : p_.paths.find(path);
    if (index)
      next = *index + 1;
    const auto slot = index ? path_slot(*index) : add_path(path, true);
    slot_of_id_[id.value] = slot.value;
    id_at(slot) = id.value;
    return true;
  });
}

path_slot catalog::add_path(std::string_view path, bool recorded) {
  const path_slot slot(p_.paths.size() + found_.intern(path));
  if (found_.size() > found_ids_.size())
    found_ids_.resize(found_.size(), none);
  if (!recorded && id_at(slot) == none)
    give_path_id(slot);
  return slot;
}

void catalog::give_path_id(path_slot slot) {
  const auto path = slot.value < p_.paths.size()
                        ? p_.paths.text(slot.value)
                        : found_.text(slot.value - static_cast<std::uint32_t>(p_.paths.size()));
  const auto id = ids_->path(prefix_ + std::string(path)).value;
  std::atomic_ref(id_at(slot)).store(id, std::memory_order_release);
  if (id >= slot_of_id_.size())
    slot_of_id_.resize(id + 1, none);
  slot_of_id_[id] = slot.value;
}

path_id catalog::id_of(path_slot slot) const {
  if (slot.value < own_ids_.size()) {
    // A glob's text may be found to be a path too: only such an id appears after load().
    const auto id = std::atomic_ref(const_cast<std::uint32_t&>(own_ids_[slot.value])).load(std::memory_order_acquire);
    TROUPE_CHECK(id != none, "a path without an id is used");
    return path_id(id);
  }
  const std::lock_guard lock(mutex_);
  const auto id = found_ids_[slot.value - own_ids_.size()];
  TROUPE_CHECK(id != none, "a path without an id is used");
  return path_id(id);
}

path_slot catalog::slot_of(std::string_view path) {
  if (const auto index = p_.paths.find(path)) {
    const std::lock_guard lock(mutex_);
    if (own_ids_[*index] == none)
      give_path_id(path_slot(*index));
    return path_slot(*index);
  }
  const std::lock_guard lock(mutex_);
  return add_path(path, false);
}

std::optional<path_slot> catalog::slot_of(path_id id) const {
  const std::lock_guard lock(mutex_);
  if (id.value >= slot_of_id_.size() || slot_of_id_[id.value] == none)
    return std::nullopt;
  return path_slot(slot_of_id_[id.value]);
}

std::string_view catalog::text(path_slot slot) const {
  if (slot.value < p_.paths.size())
    return p_.paths.text(slot.value);
  const std::lock_guard lock(mutex_);
  return found_.text(slot.value - static_cast<std::uint32_t>(p_.paths.size()));
}

std::size_t catalog::slots() const {
  const std::lock_guard lock(mutex_);
  return p_.paths.size() + found_.size();
}

std::string_view catalog::asset_name(asset_id id) const {
  if (id.value < asset_of_.size() && asset_of_[id.value] != none)
    return p_.assets[asset_of_[id.value]].name;
  const auto at = std::lower_bound(other_assets_.begin(), other_assets_.end(), id,
                                   [](const auto& entry, asset_id wanted) { return entry.first < wanted; });
  return at != other_assets_.end() && at->first == id ? std::string_view(at->second) : "(another pipeline's asset)";
}

std::string_view catalog::path_text(path_id id) const {
  const auto slot = slot_of(id);
  return slot ? unfiltered(text(*slot)) : "(another pipeline's path)";
}

std::vector<event> catalog::take_new_names() {
  const std::lock_guard lock(mutex_);
  auto events = own_names_ ? ids_->take_new() : std::vector<event>();
  events.insert(events.end(), std::make_move_iterator(renamed_.begin()), std::make_move_iterator(renamed_.end()));
  renamed_.clear();
  return events;
}

} // namespace troupe_internal
