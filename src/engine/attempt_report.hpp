// What a command may say of itself through TROUPE_RESULT. Knows the file's format, not what is done with it.
#pragma once

#include "base/result.hpp"
#include "core/command/secret_mask.hpp"
#include "core/model/result_limits.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

struct attempt_report {
  std::string data_version;        ///< empty: none given
  std::string metadata;            ///< a JSON object's text; empty: none given
  std::vector<std::string> inputs; ///< files it found it needs, as written
  /// Likewise, from its depfile; relative to its working folder.
  std::vector<std::string> depfile_inputs{};
};

/// Parses the file's text: a JSON object with data_version (string), metadata (object), inputs (array of strings),
/// nothing else. invalid_input says what was found. `mask`, if not null, has gone over the data version and over every
/// key and value of the metadata (a number with a secret in it becomes a string).
[[nodiscard]] result<attempt_report> parse_attempt_report(std::string_view text, const secret_mask* mask = nullptr);

} // namespace troupe_internal
