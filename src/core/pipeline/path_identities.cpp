// Numbers for what differs; everything else is as it is spelt.
#include "core/pipeline/path_identities.hpp"

#include "core/pipeline/parent_paths.hpp"

#include <algorithm>

namespace troupe_internal {

path_identities::path_identities(const pipeline& p, path_facts facts)
    : patterns_(std::move(facts.globs)), root_(std::move(facts.root)) {
  if (!facts.files.empty() || !facts.links.empty())
    others_ = std::make_shared<interner>();
  const auto number_of = [&](std::string_view identity) {
    const auto known = p.paths.find(identity);
    return known ? file_number(*known)
                 : file_number(static_cast<std::uint32_t>(p.paths.size()) + others_->intern(identity));
  };
  if (!facts.files.empty()) {
    numbers_.resize(p.paths.size());
    for (std::uint32_t i = 0; i < numbers_.size(); ++i)
      numbers_[i] = file_number(i);
    for (const auto& [path, identity] : facts.files)
      numbers_[path.value] = number_of(identity);
  }
  links_.reserve(facts.links.size());
  for (const auto& [path, identity] : facts.links)
    links_.emplace_back(path, number_of(identity));
}

std::optional<file_number> path_identities::find(const pipeline& p, std::string_view identity) const {
  if (const auto known = p.paths.find(identity))
    return file_number(*known);
  if (const auto known = others_ ? others_->find(identity) : std::nullopt)
    return file_number(static_cast<std::uint32_t>(p.paths.size()) + *known);
  return std::nullopt;
}

std::string_view path_identities::pattern(const pipeline& p, path_index glob) const {
  const auto at = std::lower_bound(patterns_.begin(), patterns_.end(), glob,
                                   [](const auto& entry, path_index wanted) { return entry.first < wanted; });
  return at != patterns_.end() && at->first == glob ? std::string_view(at->second) : p.path(glob);
}

std::span<const std::pair<path_index, file_number>> path_identities::links(path_index input) const {
  if (links_.empty())
    return {};
  const auto first = std::lower_bound(links_.begin(), links_.end(), input,
                                      [](const auto& entry, path_index wanted) { return entry.first < wanted; });
  auto last = first;
  while (last != links_.end() && last->first == input)
    ++last;
  return {first, last};
}

std::string_view path_identities::parent(std::string_view identity) const {
  if (identity != ".")
    return parent_path(identity);
  return root_.empty() ? std::string_view() : parent_path(root_);
}

bool path_identities::is_beneath(std::string_view identity, std::string_view folder) const {
  if (lies_beneath(identity, folder))
    return true;
  // What is named relative to the pipeline's folder lies beneath whatever that lies beneath.
  return !root_.empty() && folder.starts_with('/') && !identity.starts_with('/') && lies_beneath(root_, folder);
}

} // namespace troupe_internal
