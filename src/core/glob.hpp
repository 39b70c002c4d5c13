// Globs over paths: *, ?, [a-z], [!a], ** for any number of folders, \ to escape. Knows no disk.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// Whether the text holds an unescaped *, ? or [.
[[nodiscard]] bool is_glob(std::string_view text);
/// Whether the whole path matches. * and ? never match "/", and no leading "." unless the pattern writes it; ** as a
/// whole component matches any number of components, hidden ones left out.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view path);
/// The longest leading folder without wildcards ("raw" of "raw/*.txt"; "" for "*.txt"; "/" possible).
[[nodiscard]] std::string glob_root(std::string_view pattern);

} // namespace troupe
