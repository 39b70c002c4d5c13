// The fingerprint of one asset, now.
#include "app/engine/examiner.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Stands for content that could not be read: differs from everything, so the asset is stale, and its attempt says what
/// is wrong.
digest unreadable() {
  return content_digest("unreadable");
}

void sort_unique(std::vector<file_version>& files) {
  if (files.size() < 2)
    return;
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  files.erase(std::unique(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path == b.path; }),
              files.end());
}

} // namespace

examiner::examiner(const pipeline& p, const asset_graph& graph, catalog& names, file_table& table,
                   const file_system& files, std::string state_folder, env_lookup lookup)
    : p_(p), graph_(graph), names_(names), table_(table), files_(files), lookup_(std::move(lookup)) {
  const std::string inside = p.folder == "/" ? "/" : p.folder + "/";
  if (state_folder.starts_with(inside))
    skip_.push_back(state_folder.substr(inside.size()));
  skip_.push_back(std::move(state_folder));
}

void examiner::add_input(path_slot slot, look how, const recent_glances& seen, std::vector<file_version>& to,
                         findings& out) const {
  const auto content = how == look::anew ? table_.observe(slot, seen.find(slot)) : table_.remembered(slot);
  if (!content) {
    if (!out.impossible)
      out.impossible = content.error().message;
    to.push_back({names_.id_of(slot), unreadable()});
    return;
  }
  to.push_back({names_.id_of(slot), *content});
}

bool examiner::somebody_makes(asset_index asset, std::string_view path) const {
  for (const auto upstream : graph_.upstream(asset))
    for (const auto output : p_.asset(upstream).outputs) {
      const auto made = p_.path(output);
      const auto within = [](std::string_view inner, std::string_view outer) {
        return inner == outer ||
               (inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '/');
      };
      if (within(path, made) || within(made, path))
        return true;
    }
  return false;
}

void examiner::add_glob(asset_index asset, std::string_view glob, findings& out) const {
  const auto& own = p_.asset(asset).outputs;
  const auto is_own = [&](std::string_view path) {
    return std::any_of(own.begin(), own.end(), [&](path_index o) {
      const auto text = p_.path(o);
      return path == text || (path.starts_with(text) && path.size() > text.size() && path[text.size()] == '/');
    });
  };
  std::vector<std::string> matches;
  for (const auto output : graph_.outputs_matching(p_, glob))
    if (!is_own(p_.path(output)))
      matches.emplace_back(p_.path(output));
  auto on_disk = files_.glob(glob, skip_);
  if (!on_disk) {
    out.impossible = on_disk.error().message;
    return;
  }
  for (auto& path : *on_disk)
    if (!is_own(path))
      matches.push_back(std::move(path));
  std::sort(matches.begin(), matches.end());
  matches.erase(std::unique(matches.begin(), matches.end()), matches.end());
  if (matches.empty())
    out.warnings.push_back("asset " + std::string(p_.asset(asset).name) + ": the glob \"" + std::string(glob) +
                           "\" in inputs matches nothing");
  for (auto& path : matches) {
    add_input(names_.slot_of(path), look::anew, {}, out.now.inputs, out);
    out.inputs.push_back(std::move(path));
  }
}

void examiner::examine(asset_index asset, const asset_record& before,
                       const std::function<digest(asset_index)>& version_of, look how, findings& out,
                       const recent_glances& seen) const {
  const auto& spec = p_.asset(asset);
  out.impossible.reset();
  out.warnings.clear();
  out.inputs.clear();
  out.outputs.clear();
  out.now.inputs.clear();
  out.now.discovered.clear();
  out.now.upstreams.clear();
  define_asset(p_, asset, lookup_, out.now);

  for (const auto& input : spec.inputs) {
    const auto text = p_.path(input.path);
    if (input.glob) {
      add_glob(asset, text, out);
      continue;
    }
    add_input(path_slot(input.path.value), how, seen, out.now.inputs, out);
    if (out.now.inputs.back().content == absent_file && !out.impossible && !somebody_makes(asset, text))
      out.impossible =
          "input \"" + std::string(text) + "\" does not exist and no asset makes it: create it, or correct \"inputs\"";
    if (how == look::anew)
      out.inputs.emplace_back(text);
  }
  sort_unique(out.now.inputs);
  if (before.last) {
    for (const auto& found : before.last->made_from.discovered)
      if (const auto slot = names_.slot_of(found.path))
        add_input(*slot, look::anew, seen, out.now.discovered, out);
  }
  for (const auto dep : spec.deps)
    out.now.upstreams.push_back({names_.id_of(dep), version_of(dep)});
  std::sort(out.now.upstreams.begin(), out.now.upstreams.end(),
            [](const auto& a, const auto& b) { return a.asset < b.asset; });

  if (const auto outputs = observe_outputs(asset, how, out.outputs, seen); !outputs) {
    // An output that cannot be read is made anew; a source's is what the source is.
    if (p_.is_source(asset) && !out.impossible)
      out.impossible = outputs.error().message;
  }
}

result<void> examiner::observe_outputs(asset_index asset, look how, std::vector<file_version>& out,
                                       const recent_glances& seen) const {
  out.clear();
  std::optional<error> failure;
  for (const auto output : p_.asset(asset).outputs) {
    const path_slot slot(output.value);
    const auto content = how == look::anew ? table_.observe(slot, seen.find(slot)) : table_.remembered(slot);
    if (!content && !failure)
      failure = content.error();
    out.push_back({names_.id_of(slot), content ? *content : unreadable()});
  }
  sort_unique(out);
  if (failure)
    return *failure;
  return {};
}

std::vector<path_slot> examiner::slots_of(const std::vector<asset_index>& assets) const {
  std::vector<bool> seen(p_.paths.size(), false);
  std::vector<path_slot> slots;
  const auto add = [&](path_index path) {
    if (!seen[path.value]) {
      seen[path.value] = true;
      slots.emplace_back(path.value);
    }
  };
  for (const auto asset : assets) {
    for (const auto& input : p_.asset(asset).inputs)
      if (!input.glob)
        add(input.path);
    for (const auto output : p_.asset(asset).outputs)
      add(output);
  }
  return slots;
}

} // namespace troupe
