// Values of assets that are in memory, so that who needs one next need not read it. Knows nothing of where values are
// kept.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "engine/value_stream.hpp"

#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

namespace troupe_internal {

/// Keeps what was used last, as long as it fits. Who has got a value holds it, whatever becomes of it here. Any thread.
class value_cache {
public:
  /// `most`: bytes, as values are kept; in memory they may take more.
  explicit value_cache(std::uint64_t most) : most_(most) {}

  /// `bytes`: its size as it is kept. In the place of what was known of the asset.
  void put(asset_id asset, const digest& version, const held_value& value, std::uint64_t bytes);
  /// Empty, unless this version of the asset is here, with this type.
  [[nodiscard]] held_value find(asset_id asset, const digest& version, const troupe_type& type);

private:
  struct entry {
    asset_id asset;
    digest version;
    held_value value;
    std::uint64_t bytes = 0;
  };
  void drop(std::list<entry>::iterator which, std::list<entry>& dropped);

  const std::uint64_t most_;
  std::mutex mutex_;
  std::list<entry> entries_; ///< used last first
  std::unordered_map<std::uint32_t, std::list<entry>::iterator> by_asset_;
  std::uint64_t bytes_ = 0;
};

} // namespace troupe_internal
