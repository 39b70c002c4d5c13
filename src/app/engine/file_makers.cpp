// The file's own name, and each link on the way to its content.
#include "app/engine/file_makers.hpp"

#include "core/parent_paths.hpp"

#include <algorithm>

namespace troupe {

std::vector<asset_index> file_makers::makers_of(std::string_view path) {
  std::vector<asset_index> makers;
  const auto consider = [&](std::string_view identity) {
    if (const auto maker = graph_.maker_of(p_, identity))
      makers.push_back(*maker);
  };
  const auto identity = resolver_.identity_of(path);
  consider(identity);
  for (const auto& link : resolver_.resolve(parent_path(path)).links)
    consider(link);
  for (const auto& file : resolver_.chain_of(identity))
    consider(file);
  std::sort(makers.begin(), makers.end());
  makers.erase(std::unique(makers.begin(), makers.end()), makers.end());
  return makers;
}

} // namespace troupe
