// One question of core/pipeline/glob after the other.
#include "core/pipeline/exclusion.hpp"

#include "core/pipeline/glob.hpp"

#include <algorithm>

namespace troupe_internal {
namespace {

constexpr std::string_view all_beneath = "/**";

/// "x" of "x/**"; the pattern itself if it is another.
std::string_view without_last_depth(std::string_view pattern) {
  return pattern.ends_with(all_beneath) && pattern.size() > all_beneath.size()
             ? pattern.substr(0, pattern.size() - all_beneath.size())
             : pattern;
}

} // namespace

bool takes_out(std::string_view pattern, std::string_view path) {
  const auto relation = relate_to_glob(pattern, path);
  if (relation.matches || relation.beneath)
    return true;
  const auto folder = without_last_depth(pattern);
  return folder.size() != pattern.size() && relate_to_glob(folder, path).beneath;
}

bool takes_out_all_beneath(std::string_view pattern, std::string_view folder) {
  const auto relation = relate_to_glob(without_last_depth(pattern), folder);
  return relation.matches || relation.beneath;
}

bool may_take_out_beneath(std::string_view pattern, std::string_view folder) {
  const auto relation = relate_to_glob(pattern, folder);
  return relation.reaches || takes_out_all_beneath(pattern, folder);
}

folder_filter::folder_filter(std::string_view name) : path_(unfiltered(name)) {
  // Each piece begins with a NUL; a piece that begins with another one names the folder of a spelling.
  for (auto rest = name.substr(path_.size()); !rest.empty();) {
    rest.remove_prefix(1);
    const bool begins = !rest.empty() && rest.front() == '\0';
    if (begins)
      rest.remove_prefix(1);
    const auto piece = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(piece.size());
    if (begins || spellings_.empty())
      spellings_.push_back({piece, {}});
    else
      spellings_.back().patterns.push_back(piece);
  }
}

std::string folder_filter::spelling::path_of(std::string_view member) const {
  std::string path(folder);
  if (path == ".")
    path.clear();
  else if (path != "/")
    path += '/';
  path += member;
  return path;
}

bool folder_filter::leaves_out(std::string_view member) const {
  return std::any_of(spellings_.begin(), spellings_.end(), [&](const spelling& one) {
    const auto path = one.path_of(member);
    return std::any_of(one.patterns.begin(), one.patterns.end(),
                       [&](std::string_view pattern) { return takes_out(pattern, path); });
  });
}

bool folder_filter::reaches_into(std::string_view member) const {
  return std::any_of(spellings_.begin(), spellings_.end(), [&](const spelling& one) {
    const auto path = one.path_of(member);
    return std::any_of(one.patterns.begin(), one.patterns.end(),
                       [&](std::string_view pattern) { return may_take_out_beneath(pattern, path); });
  });
}

void add_spelling(std::string& name, std::string_view folder, std::span<const std::string_view> patterns) {
  std::vector<std::string_view> useful;
  for (const auto pattern : patterns)
    if (may_take_out_beneath(pattern, folder))
      useful.push_back(pattern);
  if (useful.empty())
    return;
  std::sort(useful.begin(), useful.end());
  useful.erase(std::unique(useful.begin(), useful.end()), useful.end());
  name += '\0';
  name += '\0';
  name += folder;
  for (const auto pattern : useful) {
    name += '\0';
    name += pattern;
  }
}

} // namespace troupe_internal
