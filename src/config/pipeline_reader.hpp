// Reads a whole pipeline file into what it declares. Knows every key; looks nothing up and expands nothing.
#pragma once

#include "config/declared_pipeline.hpp"
#include "config/json_reader.hpp"

namespace troupe_internal::config {

/// Reads the text to its end, or to its first mistake in syntax: false then (and where the source could not be read);
/// what names what in it cannot be judged.
[[nodiscard]] bool read_pipeline(json_reader& json, findings& out, declared_pipeline& into);

/// The keys of the file as a whole.
inline constexpr std::array<std::string_view, 9> file_keys = {"$schema",  "name",     "description", "params", "engine",
                                                              "defaults", "triggers", "assets",      "values"};

} // namespace troupe_internal::config
