// What names a run on the command line: #42, 42, latest, an id or the beginning of one. Knows no storage.
#pragma once

#include "base/result.hpp"
#include "core/model/run_record.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace troupe_internal {

/// The index of the run that is meant. `runs` are all there are, newest first. A number wins over an id that begins
/// with its digits; of an id at least 4 characters. not_found says what there is instead, or what else it could be.
[[nodiscard]] result<std::size_t> match_run(std::span<const run_record> runs, std::string_view name);

} // namespace troupe_internal
