// Each glob looks only at the outputs that begin as it does: they are sorted.
#include "core/pipeline/output_index.hpp"

#include "core/pipeline/glob.hpp"

#include <algorithm>
#include <string>

namespace troupe_internal {

namespace {
constexpr std::uint64_t steps_of_a_comparison = 64; // of pattern times text, beyond which one counts as several
} // namespace

output_index::output_index(const pipeline& p, const path_identities& same,
                           const std::function<void(asset_index, std::size_t, asset_index)>& again)
    : maker_(same.size(p), none) {
  bool any_glob = false;
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    const auto& asset = p.assets[i];
    any_glob =
        any_glob || std::any_of(asset.inputs.begin(), asset.inputs.end(), [](input_ref input) { return input.glob; });
    for (std::size_t k = 0; k < asset.outputs.size(); ++k) {
      std::uint32_t& maker = maker_[same.of(asset.outputs[k]).value];
      if (maker == none)
        maker = i;
      else
        again(asset_index(i), k, asset_index(maker));
    }
  }
  if (!any_glob)
    return;
  for (std::uint32_t file = 0; file < maker_.size(); ++file)
    if (maker_[file] != none) {
      sorted_.emplace_back(file);
      bytes_ += same.text(p, file_number(file)).size();
    }
  std::sort(sorted_.begin(), sorted_.end(),
            [&](file_number a, file_number b) { return same.text(p, a) < same.text(p, b); });
}

std::optional<file_number> output_index::at_or_above(const pipeline& p, const path_identities& same,
                                                     std::string_view identity) const {
  for (auto above = identity; !above.empty(); above = same.parent(above))
    if (const auto known = same.find(p, above); known && maker(*known))
      return known;
  return std::nullopt;
}

std::pair<output_index::iterator, output_index::iterator>
output_index::beginning_with(const pipeline& p, const path_identities& same, std::string_view prefix) const {
  const auto first =
      std::partition_point(sorted_.begin(), sorted_.end(), [&](file_number o) { return same.text(p, o) < prefix; });
  return {first, std::partition_point(first, sorted_.end(),
                                      [&](file_number o) { return same.text(p, o).starts_with(prefix); })};
}

std::vector<output_index::relative> output_index::related(const pipeline& p, const path_identities& same,
                                                          std::string_view pattern) const {
  const bool folders = asks_for_folders(pattern);
  const bool deep = folders || enters_folders(pattern);
  std::vector<relative> found;
  const auto [first, last] = beginning_with(p, same, glob_prefix(pattern));
  for (auto at = first; at != last; ++at) {
    if (!deep) {
      if (glob_matches(pattern, same.text(p, *at)))
        found.push_back({*at, true, false, false, false});
      continue;
    }
    const auto relation = relate_to_glob(pattern, same.text(p, *at));
    const auto of_folder = folders ? relate_to_glob(without_slash(pattern), same.text(p, *at)) : glob_relation();
    if (of_folder.beneath)
      found.push_back({*at, false, false, false, true});
    else if (relation.matches || relation.reaches)
      found.push_back({*at, relation.matches, relation.reaches, relation.by_name && !of_folder.matches, false});
  }
  return found;
}

std::uint64_t output_index::cost(const pipeline& p, const path_identities& same, std::string_view pattern) const {
  const auto [first, last] = beginning_with(p, same, glob_prefix(pattern));
  const std::uint64_t mean_length = sorted_.empty() ? 0 : bytes_ / sorted_.size();
  const std::uint64_t of_one = 1 + pattern.size() * mean_length / steps_of_a_comparison;
  return static_cast<std::uint64_t>(last - first) * of_one;
}

} // namespace troupe_internal
