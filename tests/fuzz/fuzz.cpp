// The end of a process in which a property does not hold.
#include "fuzz/fuzz.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe_internal::fuzz {

void broken(const char* property, const char* file, int line, std::string_view detail) {
  std::fprintf(stderr, "%s:%d: this does not hold: %s\n%.*s\n", file, line, property, static_cast<int>(detail.size()),
               detail.data());
  std::abort();
}

} // namespace troupe_internal::fuzz
