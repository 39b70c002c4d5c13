// Opens what a disk may hold after a power cut with the real journal store, and says whether all that was promised is
// true of it. Knows nothing of how the image came about.
#pragma once

#include "recorded_history.hpp"

#include <cstddef>
#include <string>

namespace troupe_internal::test {

/// What had been promised when the power went.
struct promises {
  std::size_t promised = 0; ///< so many commits must be there
  std::size_t begun = 0;    ///< not more than so many can be
  bool may_refuse = false;  ///< commits were not forced to disk: the state may be refused, with the way out
};

struct verdict {
  std::string wrong;       ///< empty: all promises were kept
  std::size_t commits = 0; ///< so many were there
  bool there = false;      ///< there was a journal
  bool refused = false;
};

/// Reads the state in `folder`, verifies it, compares it with the history, then writes to it and verifies it again.
[[nodiscard]] verdict check_image(const std::string& folder, const recorded_history& history, const promises& made);

} // namespace troupe_internal::test
