// Dense 32-bit ids that cannot be mixed up; knows nothing of what they name.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace troupe_internal {

/// An index with a type of its own. The tag only tells kinds apart.
template <class Tag>
struct strong_id {
  std::uint32_t value = 0;

  constexpr strong_id() = default;
  constexpr explicit strong_id(std::uint32_t v) : value(v) {}
  constexpr explicit strong_id(std::size_t v) : value(static_cast<std::uint32_t>(v)) {}
  friend constexpr auto operator<=>(strong_id, strong_id) = default;
};

/// Index of an asset in the graph in memory, in order of declaration (expanded). Never written to disk.
using asset_index = strong_id<struct asset_index_tag>;
/// Index of a path in the pipeline's path table in memory. Never written to disk.
using path_index = strong_id<struct path_index_tag>;
/// Id of an asset (pipeline name + asset name) in a state's journal; never reused.
using asset_id = strong_id<struct asset_id_tag>;
/// Id of a path in a state's journal; never reused.
using path_id = strong_id<struct path_id_tag>;
/// Number of a run in its state: 1, 2, 3 … shown as #1.
using run_number = strong_id<struct run_number_tag>;

} // namespace troupe_internal

template <class Tag>
struct std::hash<troupe_internal::strong_id<Tag>> {
  std::size_t operator()(troupe_internal::strong_id<Tag> id) const noexcept {
    return std::hash<std::uint32_t>{}(id.value);
  }
};
