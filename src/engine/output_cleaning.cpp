// Looks twice: to ask, and again under the lock.
#include "engine/output_cleaning.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/system/system_clock.hpp"
#include "core/pipeline/parent_paths.hpp"
#include "engine/selected_plan.hpp"
#include "engine/state_layout.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

namespace troupe_internal {

namespace {

/// Absolute, without links, as far as it is there.
std::string true_path(const std::string& path) {
  std::error_code unknown; // then as it is written
  const auto found = std::filesystem::weakly_canonical(path, unknown);
  return unknown ? path : found.string();
}

/// What must not go with a folder: its name for people, and where it is.
struct guarded_path {
  std::string what, path;
};

std::vector<guarded_path> guarded_paths(const project& on) {
  std::error_code gone; // then it is in no folder
  std::vector<guarded_path> all{{"the state", true_path(on.state_folder)}};
  if (on.p->file != "-")
    all.push_back({"the pipeline file",
                   true_path(join_path(on.p->folder, std::filesystem::path(on.p->file).filename().string()))});
  if (const auto here = std::filesystem::current_path(gone); !gone)
    all.push_back({"the working folder", true_path(here.string())});
  return all;
}

/// The outputs of one asset that are there.
class outputs_there {
public:
  outputs_there(planning& plan, const journal_snapshot& snapshot, bool force)
      : plan_(plan), snapshot_(snapshot), force_(force), guarded_(guarded_paths(plan.on)) {}

  [[nodiscard]] result<void> add(asset_index asset, output_cleaning& out) {
    const auto& record = plan_.records[asset.value];
    if (!record || !record->last)
      return {};
    for (const auto output : plan_.on.p->asset(asset).outputs)
      if (const auto added = add_one(asset, *record->last, output, out); !added)
        return added;
    return {};
  }

private:
  result<void> add_one(asset_index asset, const materialization& last, path_index output, output_cleaning& out) {
    const path_slot slot(output.value);
    const auto id = plan_.names->id_of(slot);
    const auto& made = last.made.outputs;
    const auto recorded =
        std::find_if(made.begin(), made.end(), [&](const file_version& one) { return one.path == id; });
    if (recorded == made.end() || recorded->content == absent_file)
      return {}; // it has not made that
    const std::string path(plan_.on.p->path(output));
    const std::string name(plan_.on.p->asset(asset).name);
    made_record maker;
    const auto known = snapshot_.read_made(id, maker);
    if (!known)
      return known.error();
    const auto now = plan_.table->observe(slot);
    if (!now) {
      out.refused.push_back(path + " (" + name + "): " + now.error().message);
      return {};
    }
    if (now->content == absent_file)
      return {};
    if (*known && maker.asset != plan_.names->id_of(asset)) {
      out.refused.push_back(path + " (" + name + "): another asset made it last, " +
                            std::string(plan_.names->asset_name(maker.asset)));
      return {};
    }
    const auto absolute = true_path(join_as_written(plan_.on.p->folder, path));
    for (const auto& one : guarded_)
      if (!now->link && (one.path == absolute || lies_beneath(one.path, absolute))) {
        out.refused.push_back(path + " (" + name + "): " + one.what + " is in it");
        return {};
      }
    const bool changed = now->content != recorded->content || now->link != recorded->link;
    (changed && !force_ ? out.kept : out.outputs).push_back({path, name, changed});
    return {};
  }

  planning& plan_;
  const journal_snapshot& snapshot_;
  bool force_;
  std::vector<guarded_path> guarded_;
};

result<output_cleaning> find_outputs(planning& plan, const journal_snapshot& snapshot, bool force) {
  output_cleaning found;
  outputs_there there(plan, snapshot, force);
  for (const auto asset : plan.on.graph->topological_order())
    if (plan.scope.in_run[asset.value] && !plan.on.p->is_source(asset))
      if (const auto added = there.add(asset, found); !added)
        return added.error();
  return found;
}

} // namespace

result<output_cleaning> clean_outputs(const project& on, const std::vector<std::string>& selection, bool force,
                                      const std::function<bool(const output_cleaning&)>& confirm) {
  if (const auto own = require_own_state(on.state_folder); !own) // its word on what was made is worth nothing
    return own.error();
  const system_clock time;
  std::map<std::string, bool> confirmed; // whether it was shown as changed since it was made
  {
    auto snapshot = open_snapshot(on.state_folder);
    if (!snapshot && snapshot.error().code != error_code::not_found)
      return snapshot.error();
    auto plan = plan_selected(on, selection, snapshot ? snapshot->get() : nullptr, time);
    if (!plan)
      return plan.error();
    if (!snapshot)
      return output_cleaning();
    auto first = find_outputs(**plan, **snapshot, force);
    if (!first || first->outputs.empty() || !confirm(*first))
      return first;
    for (const auto& one : first->outputs)
      confirmed.emplace(one.path, one.changed);
  }
  const auto lock = lock_own_state(on.state_folder); // no run makes or reads them meanwhile
  if (!lock)
    return lock.error();
  const auto snapshot = open_snapshot(on.state_folder); // a run may have made one of them since the user looked
  if (!snapshot)
    return snapshot.error();
  auto plan = plan_selected(on, selection, snapshot->get(), time);
  if (!plan)
    return plan.error();
  auto second = find_outputs(**plan, **snapshot, force);
  if (!second)
    return second;
  std::erase_if(second->outputs, [&](const cleanable_output& one) {
    const auto shown = confirmed.find(one.path);
    const bool edited_since = shown != confirmed.end() && one.changed && !shown->second;
    if (edited_since)
      second->kept.push_back(one);
    return shown == confirmed.end() || edited_since;
  });
  std::erase_if(second->outputs, [&](const cleanable_output& one) {
    const auto removed = (*plan)->files->remove(one.path);
    if (!removed)
      second->failed.push_back(one.path + " (" + one.asset + "): " + removed.error().message);
    return !removed;
  });
  second->removed = true;
  return second;
}

} // namespace troupe_internal
