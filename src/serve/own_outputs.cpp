// Open attempts first, then what was recorded of the maker.
#include "serve/own_outputs.hpp"

namespace troupe_internal::serve {

namespace {

/// "a/../b" and "../b" in a folder, by the text alone.
std::string absolute_path(const std::string& folder, std::string_view path) {
  if (path.starts_with('/'))
    return std::string(path);
  std::string base = folder;
  for (; path.starts_with("../"); path.remove_prefix(3))
    base.resize(std::max<std::size_t>(base.rfind('/'), 1));
  return base + (base.ends_with('/') ? "" : "/") + std::string(path);
}

} // namespace

void own_outputs::set_pipelines(const std::vector<std::shared_ptr<const pipeline>>& all) {
  outputs_.clear();
  for (const auto& p : all) {
    for (std::uint32_t i = 0; i < p->assets.size(); ++i) {
      const asset_index asset(i);
      if (p->is_source(asset))
        continue;
      const auto& spec = p->asset(asset);
      for (const auto out : spec.outputs) {
        const auto path = p->path(out);
        outputs_[absolute_path(p->folder, path)] = {p->name + "/" + std::string(spec.name),
                                                    p->name + "/" + std::string(path), p->settings_of(asset).links};
      }
    }
  }
}

const own_outputs::output* own_outputs::find(std::string_view path, std::string* found) const {
  for (auto at = path; !at.empty() && at != "/"; at = at.substr(0, at.rfind('/'))) {
    if (const auto known = outputs_.find(at); known != outputs_.end()) {
      if (found != nullptr)
        *found = known->first;
      return &known->second;
    }
  }
  return nullptr;
}

result<std::optional<path_id>> own_outputs::id_of(const journal_snapshot& snapshot, const std::string& path) {
  if (const auto known = ids_.find(path); known != ids_.end())
    return std::optional(known->second);
  std::optional<path_id> id;
  const auto visited = snapshot.visit_paths([&](path_id at, std::string_view text) {
    if (text == path)
      id = at;
    return !id;
  });
  if (!visited)
    return visited.error();
  if (id)
    ids_.emplace(path, *id);
  return id;
}

result<own_outputs::whose> own_outputs::judge(std::string_view path, const digest& content) {
  std::string place;
  const auto* const out = find(path, &place);
  if (out == nullptr)
    return whose::foreign;
  const auto snapshot = engine_.history_of_now();
  if (!snapshot)
    return snapshot.error();
  const auto open = (*snapshot)->open_attempts();
  if (!open)
    return open.error();
  if (!open->empty()) {
    bool made_now = false;
    const auto visited = (*snapshot)->visit_asset_names([&](asset_id id, std::string_view name) {
      if (name == out->asset)
        for (const auto& attempt : *open)
          made_now |= attempt.asset == id;
      return name != out->asset;
    });
    if (!visited)
      return visited.error();
    if (made_now)
      return whose::unknown;
  }
  const auto id = id_of(**snapshot, out->path);
  if (!id)
    return id.error();
  made_record made;
  if (!*id)
    return whose::foreign;
  const auto known = (*snapshot)->read_made(**id, made);
  if (!known)
    return known.error();
  if (!*known)
    return whose::foreign;
  if (path == place)
    return made.content == content ? whose::own : whose::foreign;
  // It lies in an output: what was recorded is the folder as a whole.
  const auto now = files_.read(place, out->links);
  if (!now)
    return now.error();
  return now->content == made.content ? whose::own : whose::foreign;
}

} // namespace troupe_internal::serve
