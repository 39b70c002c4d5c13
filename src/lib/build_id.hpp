// The build-id of the program or shared object that a function lies in. Knows nothing of what it is for.
#pragma once

#include <string>

namespace troupe_internal::lib {

/// In hexadecimal digits; empty: it has none, or the address lies in no module. Any thread.
[[nodiscard]] std::string build_id_of(const void* address);

} // namespace troupe_internal::lib
