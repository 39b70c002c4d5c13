// The words of the reasons.
#include "core/model/reason.hpp"

namespace troupe_internal {

std::string_view to_string(reason_kind kind) {
  switch (kind) {
  case reason_kind::never_materialized:
    return "never_materialized";
  case reason_kind::command_changed:
    return "command_changed";
  case reason_kind::version_changed:
    return "version_changed";
  case reason_kind::env_changed:
    return "env_changed";
  case reason_kind::param_changed:
    return "param_changed";
  case reason_kind::input_changed:
    return "input_changed";
  case reason_kind::input_added:
    return "input_added";
  case reason_kind::input_removed:
    return "input_removed";
  case reason_kind::upstream_changed:
    return "upstream_changed";
  case reason_kind::output_missing:
    return "output_missing";
  case reason_kind::output_modified:
    return "output_modified";
  case reason_kind::last_attempt_failed:
    return "last_attempt_failed";
  case reason_kind::expired:
    return "expired";
  case reason_kind::always:
    return "always";
  case reason_kind::forced:
    return "forced";
  case reason_kind::cycle:
    return "cycle";
  case reason_kind::output_target_changed:
    return "output_target_changed";
  case reason_kind::output_renamed:
    return "output_renamed";
  case reason_kind::output_made_by_other:
    return "output_made_by_other";
  case reason_kind::executable_changed:
    return "executable_changed";
  case reason_kind::value_missing:
    return "value_missing";
  case reason_kind::value_unreadable:
    return "value_unreadable";
  }
  return "unknown";
}

} // namespace troupe_internal
