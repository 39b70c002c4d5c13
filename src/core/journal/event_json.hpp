// Events as JSON text, for `journal dump` and for people. One way only: nothing reads it back.
#pragma once

#include "core/model/event.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe_internal {

[[nodiscard]] std::string_view to_string(outcome_kind kind);
[[nodiscard]] std::string_view to_string(stop_cause cause);
[[nodiscard]] std::string_view to_string(leftover_proof why);
[[nodiscard]] std::string_view to_string(cause_kind kind);
[[nodiscard]] std::string_view to_string(dequeue_reason why);
[[nodiscard]] std::string_view to_string(event_source source);
[[nodiscard]] std::string_view to_string(event_fate fate);
[[nodiscard]] std::string_view to_string(file_change change);
[[nodiscard]] std::string_view to_string(attempt_state state);
[[nodiscard]] std::string_view to_string(file_kind kind);
[[nodiscard]] std::string_view to_string(executable_bit bit);
/// The type's name as in core/model/event.hpp: "attempt_started".
[[nodiscard]] std::string_view type_name(const event& e);
/// The same by index in the variant; "unknown" beyond it.
[[nodiscard]] std::string_view event_type_name(std::size_t index);

/// Where ids find their names; a missing function or an empty answer prints the id as "#17".
struct event_names {
  std::function<std::string_view(asset_id)> asset;
  std::function<std::string_view(path_id)> path;
};

/// One JSON object on one line: {"seq":…,"type":"…", the fields…}. Times are RFC 3339, spans have a name that ends in
/// _ms, digests are hexadecimal; optional fields and empty lists are left out; texts are as json_writer has them.
[[nodiscard]] std::string event_to_json(std::uint64_t seq, const event& e, const event_names& names = {});

} // namespace troupe_internal
