// What an asset is by its definition alone: the parts of the fingerprint that need no look at files. Knows nothing of
// the disk or the environment: values are handed in.
#pragma once

#include "core/materialization.hpp"
#include "core/pipeline.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace troupe {

/// The value of a from_env or from_file entry that is not secret; nullopt if there is none.
using env_lookup = std::function<std::optional<std::string>(const env_entry&)>;

/// Fills in command, version, env and params of `out` (reusing its memory); its other members are left alone.
///
/// The command's digest covers kind, template texts, shell, cwd and matrix values; env counts by declared name and
/// template text or looked-up value, a secret by its name and source only; params count by the values of those used.
void define_asset(const pipeline& p, asset_index asset, const env_lookup& lookup, fingerprint& out);

/// One number for all of an asset's definition as far as a resumed run must find it unchanged: the above, inputs,
/// outputs and deps as declared.
[[nodiscard]] std::uint64_t definition_number(const pipeline& p, asset_index asset, const fingerprint& defined);

} // namespace troupe
