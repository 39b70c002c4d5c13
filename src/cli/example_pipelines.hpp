// The pipelines of examples/pipelines, as they are in the program. Knows nothing of where they are written to.
#pragma once

#include <span>
#include <string_view>

namespace troupe_internal::cli {

struct example_file {
  std::string_view example; ///< its folder's name
  std::string_view path;    ///< in it
  bool executable = false;
  std::string_view text;
};

/// All of them, those of one example side by side.
[[nodiscard]] std::span<const example_file> example_files();

} // namespace troupe_internal::cli
