// Paths as a pipeline file writes them, brought into their one normal form. Knows no disk.
#pragma once

#include <string>
#include <string_view>

namespace troupe_internal::config {

/// A declared path, understood.
struct declared_path {
  std::string text;  ///< normal form: no ".", no "//", no trailing "/" (but of a glob that asks for folders), ".." only
                     ///< in front. A literal path is without escapes, a glob keeps them
  bool glob = false; ///< an unescaped *, ? or [ stands in it
  bool went_up = false;     ///< a ".." has taken away the folder before it
  std::string_view problem; ///< not empty: why this is no path for an input or output
};

/// Normalises lexically ("a/../b" is "b" even where a is a link). \ before * ? [ ] and \ takes their meaning away, and
/// before a "!" that the path begins with. Of several "**" in a row one is left, at the end of the path two.
void read_path(std::string_view written, declared_path& out);
/// Whether read_path() would return the text as it is, and no glob: true for most paths there are, much quicker. False
/// only says that it has to be asked.
[[nodiscard]] bool is_plain_path(std::string_view written);

/// Whether `path` is `folder` or lies beneath it; both in normal form.
[[nodiscard]] bool is_at_or_beneath(std::string_view path, std::string_view folder);

} // namespace troupe_internal::config
