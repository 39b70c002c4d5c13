// Why an asset is stale. Knows the kinds and their words, not how they are found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Persisted: do not change the values.
enum class reason_kind : std::uint8_t {
  never_materialized = 0,
  command_changed = 1,
  version_changed = 2,
  env_changed = 3,          ///< detail: the variable
  param_changed = 4,        ///< detail: the parameter
  input_changed = 5,        ///< detail: the file
  input_added = 6,          ///< detail: the file
  input_removed = 7,        ///< detail: the file
  upstream_changed = 8,     ///< detail: the asset
  output_missing = 9,       ///< detail: the file
  output_modified = 10,     ///< detail: the file; somebody else wrote it
  last_attempt_failed = 11, ///< detail: failed, cancelled or interrupted; running while it has not ended
  expired = 12,             ///< detail: how old
  always = 13,
  forced = 14,
};
inline constexpr std::uint8_t reason_kind_count = 15;

struct reason {
  reason_kind kind = reason_kind::never_materialized;
  std::string detail; ///< empty where the kind says it all
  friend bool operator==(const reason&, const reason&) = default;
};

[[nodiscard]] std::string_view to_string(reason_kind kind);

} // namespace troupe
