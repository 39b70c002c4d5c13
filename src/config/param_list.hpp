// Lists of strings as the texts of params: in the record of a run, and at the command line. Knows no pipeline.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// As JSON, without blanks.
[[nodiscard]] std::string list_text(std::span<const std::string_view> items);
/// The strings of a JSON list; nullopt if the text is none.
[[nodiscard]] std::optional<std::vector<std::string>> read_list(std::string_view text);

} // namespace troupe_internal::config
