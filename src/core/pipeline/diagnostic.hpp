// A mistake (or a warning) in a pipeline file and its place. Knows nothing of how files are read.
#pragma once

#include "core/model/warning_code.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Where something stands in the pipeline file; 1-based; column in bytes. 0:0 = the file as a whole.
struct place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class severity : std::uint8_t { error, warning };

/// One finding. `code` is a stable short word such as unknown_key, cycle, bad_duration (listed in docs/pipeline.md).
struct diagnostic {
  severity level = severity::error;
  place where;
  std::string code;
  std::string message; ///< what was found, what was expected, the nearest known name
};

/// All findings about one file, in order of discovery.
struct diagnostics {
  std::string file; ///< as the user named it; "-" for standard input
  std::vector<diagnostic> items;
  bool of_outside_link = false; ///< the file was found through a link out of its folder: its lines are not shown
  /// Lines of the file, first and last, that hold a secret value or may do: nobody is to show them.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> secret_lines{};

  void error(place where, std::string_view code, std::string message) {
    items.push_back({severity::error, where, std::string(code), std::move(message)});
  }
  void warning(place where, warning_code code, std::string message) {
    items.push_back({severity::warning, where, std::string(code.word), std::move(message)});
  }
  void count_warnings_as_errors() {
    for (auto& item : items)
      item.level = severity::error;
  }
  [[nodiscard]] bool has_errors() const {
    for (const auto& item : items)
      if (item.level == severity::error)
        return true;
    return false;
  }
};

} // namespace troupe_internal
