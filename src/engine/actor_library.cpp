// The framework's file says its version: Debian's are named libcaf_core.so.0.17.N.
#include "engine/actor_library.hpp"

#include "actors/loaded_caf.hpp"

namespace troupe_internal {

std::string actor_library_problem() {
  constexpr const char* wanted = "libcaf_core.so.0.17.";
  const auto file = loaded_caf();
  if (const auto slash = file.rfind('/'); file.compare(slash == std::string::npos ? 0 : slash + 1, 20, wanted) == 0)
    return {};
  return "the C++ Actor Framework that this process has loaded is " + (file.empty() ? "of an unknown file" : file) +
         ", and libtroupe needs " + wanted +
         "N: link the program with that one, or keep the other one's symbols to itself";
}

} // namespace troupe_internal
