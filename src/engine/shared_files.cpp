// Look-ups in sorted paths.
#include "engine/shared_files.hpp"

#include "core/pipeline/glob.hpp"
#include "engine/state_layout.hpp"

#include <filesystem>
#include <system_error>

namespace troupe_internal {

namespace {

/// The pipeline's folder as the system resolves it; identities are relative to it.
std::string root_of(const pipeline& p) {
  std::error_code unknown;
  const auto root = std::filesystem::canonical(p.folder, unknown);
  return unknown ? p.folder : root.string();
}

std::string absolute(const std::string& root, std::string_view identity) {
  return identity.starts_with('/') ? std::string(identity) : join_path(root, identity);
}

} // namespace

made_files::made_files(const project& on) {
  const auto& p = *on.p;
  const auto root = root_of(p);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i)
    if (!p.is_source(asset_index(i)))
      for (const auto output : p.assets[i].outputs)
        outputs_.emplace(absolute(root, on.graph->same().text_of(p, output)), asset_index(i));
}

made_files::table::const_iterator made_files::at_or_above(const std::string& path) const {
  for (auto end = path.size(); end != 0 && end != std::string::npos; end = path.rfind('/', end - 1)) {
    if (const auto found = outputs_.find(path.substr(0, end)); found != outputs_.end())
      return found;
  }
  return outputs_.end();
}

std::optional<made_files::conflict> made_files::conflict_with(const made_files& other) const {
  for (const auto& [file, maker] : other.outputs_)
    if (const auto own = at_or_above(file); own != outputs_.end())
      return conflict{file, own->second, maker, own->first != file};
  for (const auto& [file, maker] : outputs_)
    if (const auto theirs = other.at_or_above(file); theirs != other.outputs_.end())
      return conflict{file, maker, theirs->second, theirs->first != file};
  return std::nullopt;
}

void made_files::visit_makers(const std::string& path, const std::function<void(asset_index)>& visit) const {
  if (const auto found = at_or_above(path); found != outputs_.end())
    visit(found->second);
  const auto folder = path + "/";
  for (auto at = outputs_.lower_bound(folder); at != outputs_.end() && at->first.starts_with(folder); ++at)
    visit(at->second);
}

void made_files::visit_makers_of_glob(const std::string& pattern,
                                      const std::function<void(const std::string&, asset_index)>& visit) const {
  const auto whole = std::string(without_slash(pattern));
  if (const auto found = at_or_above(glob_root(whole)); found != outputs_.end())
    visit(found->first, found->second); // it looks into what an asset makes
  const auto prefix = glob_prefix(whole);
  for (auto at = outputs_.lower_bound(prefix); at != outputs_.end() && at->first.starts_with(prefix); ++at) {
    const auto how = relate_to_glob(whole, at->first);
    if (how.matches || how.beneath || how.by_name)
      visit(at->first, at->second);
  }
}

void made_files::visit_readers(const project& on, const visitor& visit) const {
  if (outputs_.empty())
    return;
  const auto& p = *on.p;
  const auto& same = on.graph->same();
  const auto root = root_of(p);
  for (std::uint32_t i = 0; i < p.assets.size(); ++i) {
    const asset_index reader(i);
    for (const auto& input : p.asset(reader).inputs) {
      if (input.glob) {
        visit_makers_of_glob(absolute(root, same.pattern(p, input.path)),
                             [&](const std::string& file, asset_index maker) {
                               if (!is_excluded(p, same, reader, relative_to(root, file)))
                                 visit(reader, maker);
                             });
        continue;
      }
      const auto found = [&](asset_index maker) { visit(reader, maker); };
      visit_makers(absolute(root, same.text_of(p, input.path)), found);
      for (const auto& [link, target] : same.links(input.path))
        visit_makers(absolute(root, same.text(p, target)), found);
    }
  }
}

} // namespace troupe_internal
