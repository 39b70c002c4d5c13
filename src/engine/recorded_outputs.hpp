// What a state says of files in the pipeline's folder: which of them its assets have made. Knows records and content;
// knows nothing of what the pipeline declares.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "base/result.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace troupe_internal {

/// Those of the paths that an asset of this pipeline and file made last, and that are as it left them; so are files in
/// a folder that one made. Sorted. A state that cannot be read, or is not there, says nothing of any.
[[nodiscard]] result<std::vector<std::string>> recorded_outputs(const pipeline& p, const std::string& state_folder,
                                                                const posix_file_system& files,
                                                                std::span<const std::string> paths);

/// The same as a pipeline's loader asks it. `state`: as given with --state; empty: the pipeline's own.
using made_here_function = std::function<result<std::vector<std::string>>(
    const pipeline& p, const posix_file_system& files, std::span<const std::string> paths)>;
[[nodiscard]] made_here_function recorded_in(const std::string& state);

} // namespace troupe_internal
