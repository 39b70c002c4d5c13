// Looks for files of the pipeline's folder that a command uses and the asset does not declare. Knows words, not what
// programs do with them: it warns, nothing more.
#pragma once

#include "app/config/findings.hpp"
#include "core/pipeline.hpp"

#include <functional>
#include <string_view>

namespace troupe::config {

/// Above this many assets only a thorough search is made: it asks the disk once for each distinct word.
inline constexpr std::size_t max_searched_assets = 5000;

/// Warns of words in commands that name an existing file (`is_file`, asked with a path relative to the pipeline's
/// folder) which is neither input nor output of the asset, nor output of an asset it depends on by name.
void warn_of_undeclared_files(const pipeline& p, const std::function<bool(std::string_view)>& is_file, bool thorough,
                              findings& out);

} // namespace troupe::config
