// The JSON of definitions of assets. Knows nothing of where they come from.
#pragma once

#include "base/json_writer.hpp"
#include "core/model/asset_definition.hpp"

namespace troupe_internal::cli {

/// {"command", "shell", "cwd", "env", "inherit_env", "version", "inputs", "deps", "outputs"}, keys as in the pipeline
/// file; no value of a secret.
void write_definition(json_writer& json, const asset_definition& definition);

} // namespace troupe_internal::cli
