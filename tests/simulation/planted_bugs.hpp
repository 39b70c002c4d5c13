// The bugs that the simulation must find; see planted_bugs.txt. Only for the program that is built from the copies of
// the sources in which they are planted.
#pragma once

#include <string_view>
#include <vector>

namespace troupe_internal::test {

struct planted_bug_entry {
  std::string_view what;
  std::string_view expects; ///< words of the violation that finds it, alternatives separated by |
  bool lost = false;        ///< its place in the sources is gone
};

/// From number 1 on.
[[nodiscard]] const std::vector<planted_bug_entry>& planted_bugs();

/// The number of the bug that is switched on; 0: none.
extern int planted_bug;

} // namespace troupe_internal::test
