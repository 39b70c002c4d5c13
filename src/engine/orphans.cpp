// The table of who made what, held against what the pipeline declares now.
#include "engine/orphans.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/planning.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// Whether the asset still declares an output with this template.
bool declares_template(const pipeline& p, asset_index asset, std::string_view text) {
  const auto& templates = p.declaration(asset).output_templates;
  return !text.empty() && std::find(templates.begin(), templates.end(), text) != templates.end();
}

} // namespace

orphan_set::orphan_set(std::vector<orphaned_output> found) {
  for (auto& one : found)
    by_path_.emplace(one.path, std::move(one));
}

const orphaned_output* orphan_set::at_or_above(std::string_view identity) const {
  if (!by_path_.empty())
    for (auto part = identity; !part.empty(); part = parent_path(part))
      if (const auto at = by_path_.find(part); at != by_path_.end())
        return &at->second;
  return nullptr;
}

const orphaned_output* orphan_set::at_or_below(std::string_view identity) const {
  for (const auto& [path, one] : by_path_)
    if (path == identity || lies_beneath(path, identity))
      return &one;
  return nullptr;
}

result<orphan_set> find_orphans(const project& on, const journal_snapshot& snapshot, catalog& names, file_table& table,
                                const posix_file_system& files) {
  const auto& p = *on.p;
  const auto file = names.id_of(names.slot_of(recorded_file(on)));
  std::vector<orphaned_output> found;
  auto resolver = files.resolver();
  const auto undeclared = [&](path_id id) {
    const auto slot = names.slot_of(id);
    return slot && !(slot->value < p.paths.size() && on.graph->producer(path_index(slot->value)));
  };
  auto visited = snapshot.visit_made(undeclared, [&](path_id id, const made_record& made) {
    if (made.pipeline_file != file)
      return true;
    const auto slot = *names.slot_of(id);
    const auto asset = names.index_of(made.asset);
    if (asset && declares_template(p, *asset, made.output_template))
      return true;
    auto identity = resolver.identity_of(names.text(slot));
    if (on.graph->maker_of(p, identity)) // the path or a folder above it is declared, by whatever spelling
      return true;
    const auto content = table.observe(slot);
    if (content && content->content != absent_file && content->content == made.content)
      found.push_back({std::move(identity), std::string(names.asset_name(made.asset)), made.run});
    return true;
  });
  if (!visited)
    return visited.error();
  return orphan_set(std::move(found));
}

void note_declaration(const pipeline& p, asset_index asset, const catalog& names, path_id pipeline_file,
                      production& made) {
  made.pipeline_file = pipeline_file;
  made.templates.clear();
  const auto& templates = p.declaration(asset).output_templates;
  if (templates.empty())
    return;
  const auto& outputs = p.asset(asset).outputs;
  for (const auto& file : made.outputs) {
    const auto at = std::find_if(outputs.begin(), outputs.end(),
                                 [&](path_index o) { return names.id_of(path_slot(o.value)) == file.path; });
    made.templates.emplace_back(at == outputs.end() ? std::string_view()
                                                    : templates[static_cast<std::size_t>(at - outputs.begin())]);
  }
}

std::string describe(const orphaned_output& one) {
  return one.path + ", left over from the asset " + one.asset;
}

namespace {

/// Those of the state as it is now; none without a state.
result<orphan_set> orphans_now(const project& on, const posix_file_system& files) {
  auto snapshot = open_snapshot(on.state_folder);
  if (!snapshot)
    return snapshot.error().code == error_code::not_found ? result<orphan_set>(orphan_set()) : snapshot.error();
  auto names = catalog::load(*on.p, *on.graph, snapshot->get());
  if (!names)
    return names.error();
  system_clock time;
  file_table table(files, time, **names);
  if (const auto loaded = table.load(**snapshot); !loaded)
    return loaded.error();
  return find_orphans(on, **snapshot, **names, table, files);
}

} // namespace

result<orphan_cleaning> clean_orphans(const project& on,
                                      const std::function<bool(const std::vector<orphaned_output>&)>& confirm) {
  if (const auto own = require_own_state(on.state_folder); !own) // its word on who made what is worth nothing
    return own.error();
  look_bounds bounds;
  bounds.secret_files = secret_files_of(on);
  auto files = posix_file_system::open(on.p->folder, std::move(bounds));
  if (!files)
    return files.error();
  auto before = orphans_now(on, **files);
  if (!before)
    return before.error();
  orphan_cleaning out;
  for (const auto& [path, one] : before->all())
    out.orphans.push_back(one);
  if (out.orphans.empty() || !confirm(out.orphans))
    return out;
  const auto lock = lock_own_state(on.state_folder); // no run makes or reads them meanwhile
  if (!lock)
    return lock.error();
  const auto now = orphans_now(on, **files); // a run may have made one of them since the user looked
  if (!now)
    return now.error();
  std::erase_if(out.orphans, [&](const orphaned_output& one) { return !now->all().contains(one.path); });
  for (const auto& one : out.orphans)
    if (const auto removed = (*files)->remove(one.path); !removed)
      return removed.error();
  out.removed = true;
  return out;
}

} // namespace troupe_internal
