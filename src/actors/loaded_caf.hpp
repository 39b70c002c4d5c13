// Which C++ Actor Framework the actors of this process are bound to. Knows nothing of actors.
#pragma once

#include <string>

namespace troupe_internal {

/// The file that the framework's functions lie in, as the dynamic linker has bound them; empty: it does not say.
[[nodiscard]] std::string loaded_caf();

} // namespace troupe_internal
