// What is said of a file that is not there and that no asset makes, wherever it is found out. Knows no disk.
#pragma once

#include <string>
#include <string_view>

namespace troupe_internal {

[[nodiscard]] inline std::string missing_input_text(std::string_view path) {
  return "input \"" + std::string(path) + "\" does not exist and no asset makes it: create it, or correct \"inputs\"";
}

[[nodiscard]] inline std::string missing_source_text(std::string_view path) {
  return "the source's file \"" + std::string(path) + "\" does not exist: create it, or correct \"outputs\"";
}

} // namespace troupe_internal
