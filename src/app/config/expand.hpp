// From what a pipeline file declares to the pipeline: defaults applied, names looked up, matrices expanded, templates
// in paths filled in. Knows no JSON and no disk.
#pragma once

#include "app/config/declared_pipeline.hpp"
#include "app/config/findings.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe::config {

inline constexpr std::uint64_t max_assets = 2'000'000;
/// What a small file may grow to: memory for the names and paths of expanded assets, entries of lists in "defaults"
/// that assets with settings of their own take over.
inline constexpr std::uint64_t max_expanded_bytes = std::uint64_t(4) << 30U;
inline constexpr std::uint64_t max_setting_entries = 10'000'000;
inline constexpr std::uint64_t max_named_dependencies = 50'000'000;

/// Replaces declared values of params; an unknown name or a value of another type is reported.
void override_params(declared_pipeline& d, const std::vector<std::pair<std::string, std::string>>& overrides,
                     findings& out);
/// Completes d.p from all else in d, and reports what is wrong in it. Once, after override_params(). False if assets
/// are missing, because that would be too much.
[[nodiscard]] bool expand(declared_pipeline& d, findings& out);

} // namespace troupe::config
