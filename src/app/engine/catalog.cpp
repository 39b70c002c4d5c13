// Names to ids and back.
#include "app/engine/catalog.hpp"

#include "base/check.hpp"
#include "core/exclusion.hpp"

#include <algorithm>
#include <atomic>

namespace troupe {

namespace {
/// Names of one event: bounded, so that no record of the journal is large.
constexpr std::size_t names_per_event = 256;

template <class Event, class Id>
void append_in_chunks(std::vector<event>& out, std::vector<std::string>& names, std::uint32_t next_id) {
  auto first = next_id - static_cast<std::uint32_t>(names.size());
  for (std::size_t i = 0; i < names.size(); i += names_per_event) {
    const auto end = std::min(i + names_per_event, names.size());
    std::vector<std::string> chunk(std::make_move_iterator(names.begin() + static_cast<std::ptrdiff_t>(i)),
                                   std::make_move_iterator(names.begin() + static_cast<std::ptrdiff_t>(end)));
    const auto count = static_cast<std::uint32_t>(chunk.size());
    out.emplace_back(Event{Id(first), std::move(chunk)});
    first += count;
  }
  names.clear();
}
} // namespace

result<std::unique_ptr<catalog>> catalog::load(const pipeline& p, const asset_graph& graph,
                                               const journal_snapshot* snapshot) {
  std::unique_ptr<catalog> c(new catalog(p));
  c->prefix_ = p.name + "/";
  c->asset_ids_.assign(p.assets.size(), asset_id(none));
  c->own_ids_.assign(p.paths.size(), none);
  if (snapshot != nullptr) {
    c->asset_of_.assign(snapshot->info().asset_count, none);
    c->slot_of_id_.assign(snapshot->info().path_count, none);
    c->known_assets_ = snapshot->info().asset_count;
    // Ids were given in the order in which the graph has its names, so the next one is mostly the next one.
    std::uint32_t next = 0;
    const auto assets = snapshot->visit_asset_names([&](asset_id id, std::string_view name) {
      if (!name.starts_with(c->prefix_) || id.value >= c->asset_of_.size())
        return true;
      name.remove_prefix(c->prefix_.size());
      const auto index = next < p.assets.size() && p.assets[next].name == name ? asset_index(next) : p.find(name);
      if (index) {
        next = index->value + 1;
        c->asset_of_[id.value] = index->value;
        c->asset_ids_[index->value] = id;
      } else {
        c->other_assets_.emplace_back(id, std::string(name));
      }
      return true;
    });
    if (!assets)
      return assets.error();
    next = 0;
    const auto paths = snapshot->visit_paths([&](path_id id, std::string_view path) {
      if (!path.starts_with(c->prefix_) || id.value >= c->slot_of_id_.size())
        return true;
      path.remove_prefix(c->prefix_.size());
      const auto index = next < p.paths.size() && p.paths.text(next) == path ? next : p.paths.find(path);
      if (index)
        next = *index + 1;
      const auto slot = index ? path_slot(*index) : c->add_path(path, true);
      c->slot_of_id_[id.value] = slot.value;
      c->id_at(slot) = id.value;
      return true;
    });
    if (!paths)
      return paths.error();
  }
  for (const auto asset : graph.topological_order()) {
    if (c->asset_ids_[asset.value] == asset_id(none)) {
      const asset_id id(c->asset_of_.size());
      c->asset_of_.push_back(asset.value);
      c->asset_ids_[asset.value] = id;
      c->new_assets_.push_back(c->prefix_ + std::string(p.asset(asset).name));
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
  std::atomic_ref(id_at(slot)).store(static_cast<std::uint32_t>(slot_of_id_.size()), std::memory_order_release);
  slot_of_id_.push_back(slot.value);
  new_paths_.push_back(prefix_ + std::string(path));
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
  std::vector<event> events;
  append_in_chunks<names_interned, asset_id>(events, new_assets_, static_cast<std::uint32_t>(asset_of_.size()));
  append_in_chunks<paths_interned, path_id>(events, new_paths_, static_cast<std::uint32_t>(slot_of_id_.size()));
  return events;
}

} // namespace troupe
