// The file's own name, and each link on the way to its content.
#include "engine/file_makers.hpp"

#include "core/pipeline/glob.hpp"
#include "core/pipeline/parent_paths.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

bool is_wanted(std::string_view glob, std::string_view path) {
  const auto relation = relate_to_glob(without_slash(glob), path);
  return relation.matches || relation.reaches || (relation.beneath && asks_for_folders(glob));
}

} // namespace

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

std::vector<asset_index> file_makers::makers_behind(std::string_view link, std::optional<std::string_view> glob) {
  auto makers = makers_of(link);
  const auto chain = resolver_.chain_of(resolver_.identity_of(link));
  if (chain.empty() || chain.back() == ".") // of the pipeline's whole folder, which the link then lies in
    return makers;
  const auto& same = graph_.same();
  if (outputs_.empty())
    for (std::uint32_t i = 0; i < p_.assets.size(); ++i)
      for (const auto output : p_.assets[i].outputs)
        outputs_.emplace_back(same.text_of(p_, output), asset_index(i));
  if (!std::is_sorted(outputs_.begin(), outputs_.end()))
    std::sort(outputs_.begin(), outputs_.end());
  const auto inside = chain.back() + "/";
  for (auto at =
           std::lower_bound(outputs_.begin(), outputs_.end(), std::pair(std::string_view(inside), asset_index(0U)));
       at != outputs_.end() && at->first.starts_with(inside); ++at)
    if (!glob || is_wanted(*glob, std::string(link) + "/" + std::string(at->first.substr(inside.size()))))
      makers.push_back(at->second);
  std::sort(makers.begin(), makers.end());
  makers.erase(std::unique(makers.begin(), makers.end()), makers.end());
  return makers;
}

} // namespace troupe_internal
