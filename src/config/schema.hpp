// The JSON Schemas of the files that people write, for editors: what can be said about a file without looking names up.
#pragma once

#include <string_view>

namespace troupe_internal::config {

/// The pipeline file: a JSON Schema (draft 7) document, pretty-printed, with a newline at its end. A test holds it
/// against the parser.
[[nodiscard]] std::string_view pipeline_schema();

/// The supervisor file, likewise.
[[nodiscard]] std::string_view supervisor_schema();

/// Of the pipeline file, the definitions about triggers: "trigger" and what that refers to, each followed by a comma.
[[nodiscard]] std::string_view trigger_definitions();

} // namespace troupe_internal::config
