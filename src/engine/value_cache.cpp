// Values are let go of without the lock: that may be the end of them, which is their type's code.
#include "engine/value_cache.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// What an entry takes beside its bytes, about.
constexpr std::uint64_t entry_bytes = 128;

} // namespace

void value_cache::drop(std::list<entry>::iterator which, std::list<entry>& dropped) {
  bytes_ -= which->bytes;
  by_asset_.erase(which->asset.value);
  dropped.splice(dropped.end(), entries_, which);
}

void value_cache::put(asset_id asset, const digest& version, const held_value& value, std::uint64_t bytes) {
  std::list<entry> dropped;
  const std::lock_guard lock(mutex_);
  if (const auto known = by_asset_.find(asset.value); known != by_asset_.end())
    drop(known->second, dropped);
  bytes += entry_bytes;
  if (bytes > most_)
    return;
  entries_.push_front({asset, version, value, bytes});
  by_asset_.emplace(asset.value, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > most_)
    drop(std::prev(entries_.end()), dropped);
}

held_value value_cache::find(asset_id asset, const digest& version, const troupe_type& type) {
  const std::lock_guard lock(mutex_);
  const auto known = by_asset_.find(asset.value);
  if (known == by_asset_.end() || known->second->version != version || known->second->value.type() != &type)
    return {};
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->value;
}

} // namespace troupe_internal
