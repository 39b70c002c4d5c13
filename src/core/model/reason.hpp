// Why an asset is stale. Knows the kinds and their words, not how they are found.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe_internal {

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
  output_modified = 10,     ///< detail: the file; nobody in this state wrote what is there
  last_attempt_failed = 11, ///< detail: failed, cancelled or interrupted; running while it has not ended
  expired = 12,             ///< detail: how old
  always = 13,
  forced = 14,
  cycle = 15,                 ///< detail: the discovered input whose maker needs this asset
  output_target_changed = 16, ///< detail: the output; what a link in it leads to has other content
  output_renamed = 17,        ///< detail: the output; the asset last made another path
  output_made_by_other = 18,  ///< detail: "PATH (made by ASSET in run #N)"
  executable_changed = 19,    ///< detail: the input or output whose executable bit is another one
  value_missing = 20,         ///< detail: the file that held its value; empty: there was none
  value_unreadable = 21,      ///< detail: "orders v2, and the code reads orders v1"
};
inline constexpr std::uint8_t reason_kind_count = 22;

/// What a reason is about: the texts before and now.
struct reason_change {
  std::string was, now;
};

struct reason {
  reason_kind kind = reason_kind::never_materialized;
  std::string detail;                            ///< empty where the kind says it all
  std::string note{};                            ///< what else is known now, for people; not recorded
  std::shared_ptr<const reason_change> change{}; ///< likewise; null: not told
  /// As far as it is recorded.
  friend bool operator==(const reason& a, const reason& b) { return a.kind == b.kind && a.detail == b.detail; }
};

[[nodiscard]] std::string_view to_string(reason_kind kind);

} // namespace troupe_internal
