// The JSON Schema of pipeline files, for editors: what can be said about a file without looking names up.
#pragma once

#include <string_view>

namespace troupe_internal::config {

/// A JSON Schema (draft 7) document, pretty-printed, with a newline at its end. A test holds it against the parser.
[[nodiscard]] std::string_view pipeline_schema();

} // namespace troupe_internal::config
