// All settings, searched once.
#include "core/command/secret_sources.hpp"

#include <algorithm>

namespace troupe_internal {

secret_sources secret_sources_of(const pipeline& p) {
  secret_sources sources;
  if (!p.declares_secrets)
    return sources;
  for (const auto& settings : p.settings)
    for (const auto& entry : settings.env)
      if (entry.secret && entry.source != env_source::literal)
        (entry.source == env_source::from_env ? sources.variables : sources.files).push_back(entry.text);
  for (auto* names : {&sources.variables, &sources.files}) {
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }
  return sources;
}

} // namespace troupe_internal
