// Findings as the lines that people read, for comparing.
#pragma once

#include "config/load_pipeline.hpp"

#include <string>

namespace troupe_internal::test {

inline std::string lines(const diagnostics& list) {
  std::string text;
  for (const auto& item : list.items)
    text += to_line(list, item) + "\n";
  return text;
}

} // namespace troupe_internal::test
