// `troupe clean`: outputs that are as their assets made them are removed. Knows which may be; nothing of printing or
// asking.
#pragma once

#include "base/result.hpp"
#include "engine/project.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What is there of one recorded output.
struct cleanable_output {
  std::string path; ///< as declared
  std::string asset;
  bool changed = false; ///< it is not as the asset made it
};

struct output_cleaning {
  std::vector<cleanable_output> outputs; ///< that are removed, or would be; in topological order
  std::vector<cleanable_output> kept;    ///< changed since they were made, and not forced
  std::vector<std::string> refused;      ///< what is not removed in any case, and why; one line each
  std::vector<std::string> failed;       ///< what the system refused to remove, and why; one line each
  bool removed = false;
};

/// The recorded outputs of the selected assets (none: all) that are there. Removed, if `confirm` says so (it is not
/// asked if there are none), are those whose content is as recorded; with `force` the others, too. Never removed:
/// what a source declares, what no asset has made as far as the state knows, what another asset made last, and a folder
/// that the state, the pipeline's file or the working folder lies in. Links are removed, not followed; nothing is
/// removed of a folder that something is mounted in. Takes the state's lock only to remove. An absent state has no
/// outputs. Errors: invalid_input (selection), state_locked, state_unusable.
[[nodiscard]] result<output_cleaning> clean_outputs(const project& on, const std::vector<std::string>& selection,
                                                    bool force,
                                                    const std::function<bool(const output_cleaning&)>& confirm);

} // namespace troupe_internal
