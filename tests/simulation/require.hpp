// How the simulation says that a rule is broken: by what it throws, which names the rule.
#pragma once

#include <stdexcept>
#include <string>

namespace troupe_internal::test {

inline void require(bool holds, const std::string& what) {
  if (!holds)
    throw std::runtime_error(what);
}

} // namespace troupe_internal::test
