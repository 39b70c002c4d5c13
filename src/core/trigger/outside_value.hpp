// Which values from outside a param may take: what somebody sends becomes neither an option nor a path to elsewhere.
// Knows nothing of where a value comes from.
#pragma once

#include "core/trigger/trigger.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// The longest value from outside, in bytes.
inline constexpr std::size_t max_outside_bytes = 4096;

/// Why the param may not have this value; empty if it may. Its use in the pipeline decides:
///   everywhere                      at most 4 KiB, valid UTF-8, no control characters
///   in a path                       [A-Za-z0-9_][A-Za-z0-9._:+-]{0,199}
///   at the beginning of an argument it does not begin with "-"
/// `allow` takes the place of the last two; but in no case does a path get another ".." than it is declared with, or
/// become absolute. The text does not repeat the value.
[[nodiscard]] std::string outside_value_problem(std::string_view param, std::string_view value, const param_use& use,
                                                const value_pattern* allow);

/// The same for a param of a trigger.
[[nodiscard]] std::string outside_value_problem(const trigger_set& set, const trigger& of, std::string_view param,
                                                std::string_view value);

/// The same for the first of these values that may not be, where no trigger says otherwise: of a run that somebody asks
/// for by itself.
[[nodiscard]] std::string outside_values_problem(const trigger_set& set,
                                                 const std::vector<std::pair<std::string, std::string>>& values);

} // namespace troupe_internal
