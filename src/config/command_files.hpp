// Looks for files that a command uses and the asset does not declare. Knows words, not what programs do with them: it
// warns, nothing more.
#pragma once

#include "config/findings.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <functional>
#include <string_view>

namespace troupe_internal::config {

/// Above this many assets only a thorough search is made: it asks the disk once for each distinct word.
inline constexpr std::size_t max_searched_assets = 5000;

/// Warns of words in commands
/// - that name an output of another asset which the asset does not depend on, not even by way of others
///   (undeclared_input), whether or not it is there: nothing says which of the two runs first;
/// - that name an existing file (`is_file`, asked with a path relative to the pipeline's folder) which is neither input
///   nor output of the asset, nor output of an asset it depends on by name (undeclared_file).
/// The first combination of a matrix speaks for all.
void warn_of_undeclared_files(const pipeline& p, const asset_graph& graph,
                              const std::function<bool(std::string_view)>& is_file, bool thorough, findings& out);

/// Warns of literal inputs, and of files of sources, that are not there (`is_there`, asked with the path) and that no
/// asset makes (missing_input).
void warn_of_missing_inputs(const pipeline& p, const asset_graph& graph,
                            const std::function<bool(std::string_view)>& is_there, findings& out);

} // namespace troupe_internal::config
