// Finding the one asset a verb was asked about, with helpful words where there is none. Knows no state.
#pragma once

#include "cli/invocation.hpp"
#include "engine/project.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// The asset of exactly this name, or the one that makes this file. not_found names the nearest one; a name that stands
/// for a whole matrix is invalid_input and lists its assets.
[[nodiscard]] result<asset_index> find_asset(const project& on, const std::string& name);

/// A file as the pipeline names it; files are named on the command line as from the working folder.
[[nodiscard]] std::string named_in(const pipeline& p, const std::string& file);
/// The selection, with assets in the place of files that they make and that the working folder names otherwise than the
/// pipeline does.
[[nodiscard]] std::vector<std::string> located(const project& on, std::vector<std::string> selection);

/// The asset that makes a file of this name, if no asset has it; else the name. For verbs that need no pipeline file:
/// one that cannot be read is no error.
[[nodiscard]] std::string asset_called(const invocation& with, const std::string& name);

/// The error for a name that stands for a whole matrix, listing its assets.
[[nodiscard]] error is_a_matrix(std::string_view name, const std::vector<std::string>& members);
/// The assets of a report that belong to the matrix of this name.
[[nodiscard]] std::vector<std::string> members_in(const run_report& report, std::string_view name);

/// "; did you mean …?" among the names of a report's assets.
[[nodiscard]] std::string nearest_of(std::string_view name, const std::vector<asset_run_report>& assets);

} // namespace troupe_internal::cli
