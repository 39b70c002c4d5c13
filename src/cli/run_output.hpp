// What the commands of a run wrote, of many assets at once: each line with its asset in front. Knows logs; does not
// know which run is meant.
#pragma once

#include "core/model/report.hpp"
#include "views/console.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

struct output_filter {
  bool failed = false;               ///< only of assets that failed
  std::optional<std::uint32_t> tail; ///< only so many lines at the end of each
  std::string grep;                  ///< only lines that hold this text; empty: all
  [[nodiscard]] bool empty() const { return !failed && !tail && grep.empty(); }
};

/// Prints the last log of each asset of the run that is called `name`, or is a combination of a matrix of that name;
/// empty: of all. Returns how many had a log.
[[nodiscard]] result<std::size_t> print_outputs(const output& to, const std::string& state_folder,
                                                const run_report& report, std::string_view name,
                                                const output_filter& filter);

} // namespace troupe_internal::cli
