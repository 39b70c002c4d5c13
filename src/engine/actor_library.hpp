// Whether the process has the actor framework that the engine was built for. Knows nothing of engines.
#pragma once

#include <string>

namespace troupe_internal {

/// What is wrong with the framework that was loaded, for people, with the file; empty: nothing is. A host may have
/// brought another one: its functions take the place of those that the engine means.
[[nodiscard]] std::string actor_library_problem();

} // namespace troupe_internal
