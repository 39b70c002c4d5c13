// The texts of files that hold values: lines, CSV, JSON. Knows nothing of matrices or of where the files are.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

struct file_cell {
  std::string column;
  std::vector<std::string> texts; ///< exactly one unless `list`
  bool list = false;
};

struct file_value {
  std::string text;           ///< of a scalar
  std::vector<file_cell> row; ///< of a row
  bool is_row = false;
  std::uint32_t line = 0;
};

/// Errors are invalid_input, begin with the line (and column), and name no file. At most `most` values.
/// A line's end is LF or CRLF; blank lines are dropped.
[[nodiscard]] result<std::vector<file_value>> lines_of(std::string_view text, std::size_t most);
/// RFC 4180, with LF or CRLF and any separator: the first record names the columns.
[[nodiscard]] result<std::vector<file_value>> csv_rows(std::string_view text, char separator, std::size_t most);
/// The list at a JSON pointer: of scalars, or of objects. Members of an object that are no scalars or lists of strings
/// are left out.
[[nodiscard]] result<std::vector<file_value>> json_values(std::string_view text, std::string_view pointer,
                                                          std::size_t most);

} // namespace troupe_internal::config
