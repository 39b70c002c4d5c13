// `troupe adopt`: outputs that are there are taken for what their assets would make. Knows nothing of printing or
// asking.
#pragma once

#include "base/result.hpp"
#include "engine/project.hpp"

#include <functional>
#include <string>
#include <vector>

namespace troupe_internal {

struct adoption {
  std::vector<std::string> assets; ///< stale ones that can be adopted, in topological order
  std::vector<std::string>
      problems; ///< why others cannot: a missing input or output, one line each; then nothing is done
  bool adopted = false;
};

/// Records the present inputs and outputs of the selected assets (none: all) as made from each other; runs nothing.
/// Fresh assets and sources are left as they are. `confirm` is asked with the names before anything is written, unless
/// there are none, or problems. Creates the state if there is none. Errors: invalid_input (selection), state_locked,
/// state_unusable. `ended` gets what an earlier run had left running, if there was anything.
[[nodiscard]] result<adoption> adopt_assets(const project& on, const std::vector<std::string>& selection,
                                            const std::function<bool(const std::vector<std::string>&)>& confirm,
                                            const std::function<void(const std::vector<ended_process>&)>& ended = {});

} // namespace troupe_internal
