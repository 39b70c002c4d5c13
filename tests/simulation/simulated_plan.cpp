// Asset by asset, as engine/planning does it.
#include "simulated_plan.hpp"

#include "core/pipeline/selection.hpp"
#include "engine/records_anew.hpp"

#include <stdexcept>
#include <utility>

namespace troupe_internal::test {

namespace {

std::unique_ptr<catalog> load_names(const case_pipeline& on, const journal_snapshot& snapshot,
                                    std::shared_ptr<state_names> ids) {
  auto names = catalog::load(*on.p, *on.graph, &snapshot, std::move(ids));
  if (!names)
    throw std::runtime_error("names cannot be loaded: " + names.error().message);
  return std::move(*names);
}

} // namespace

plan_scope scope_of(const case_pipeline& on, const run_wish& wish) {
  const auto size = on.p->assets.size();
  plan_scope scope{std::vector<bool>(size, false), std::vector<bool>(size, false)};
  auto selected = wish.selected;
  if (selected.empty())
    selected.assign(on.graph->topological_order().begin(), on.graph->topological_order().end());
  for (const auto asset : wish.only ? selected : with_upstream(*on.graph, selected))
    scope.in_run[asset.value] = true;
  for (const auto asset : selected)
    scope.forced[asset.value] = wish.force;
  return scope;
}

simulated_plan::simulated_plan(const state_case& all, const run_wish& wish, plan_scope in,
                               std::unique_ptr<journal_snapshot> snapshot, std::shared_ptr<state_names> ids,
                               bool keep_all, timestamp now)
    : on(all.pipelines[wish.pipeline]), mode(wish.mode), scope(std::move(in)),
      names(load_names(on, *snapshot, std::move(ids))),
      judged(*on.p, *on.graph, scope.in_run, scope.forced, now, *names), versions(on.p->assets.size()),
      records(on.p->assets.size()), snapshot_(std::move(snapshot)), keep_all_(keep_all),
      has_version_(on.p->assets.size(), false), attempts_(on.p->assets.size(), attempt_state::none) {
  last_run = snapshot_->info().last_run;
  for (const auto id : names->asset_ids())
    has_new_names = has_new_names || !names->was_known(id);
}

asset_record simulated_plan::read(asset_index asset) const {
  asset_record record;
  const auto id = names->id_of(asset);
  if (!names->was_known(id))
    return record;
  if (const auto known = snapshot_->read_asset(id, record); !known)
    throw std::runtime_error("a record cannot be read: " + known.error().message);
  if (record.attempt != attempt_state::running)
    return record;
  const auto run = snapshot_->read_run(record.attempt_run);
  if (!run || !*run || (*run)->segment_seq <= snapshot_->info().writer_seq)
    record.attempt = attempt_state::interrupted;
  return record;
}

bool simulated_plan::go_on(const file_world& files) {
  const auto order = on.graph->topological_order();
  if (next_ == order.size())
    return false;
  const auto asset = order[next_++];
  const auto i = asset.value;
  const auto record = read(asset);
  if (record.last) {
    versions[i] = record.last->made.data_version;
    has_version_[i] = true;
  }
  if (on.p->settings_of(asset).allow_failure && record.attempt == attempt_state::failed)
    versions[i] = version_of_allowed_failure();
  if (!scope.in_run[i]) {
    attempts_[i] = record.attempt;
    return true;
  }
  const auto seen = look_at(on, *names, files, asset, mode, [&](asset_index needed) { return versions[needed.value]; });
  for (const auto& path : read_by(on, asset))
    saw_torn_ = saw_torn_ || files.writer_of(path) != 0;
  judged.judge(asset, record, seen.now, seen.outputs);
  note_blocked(asset);
  if (keep_all_ || judged.action(asset) != plan_action::fresh)
    records[i] = std::make_unique<asset_record>(record);
  return true;
}

/// As engine/planning does.
void simulated_plan::note_blocked(asset_index asset) {
  for (const auto needed : on.graph->upstream(asset)) {
    if (scope.in_run[needed.value])
      continue;
    auto why = no_use_of(*on.p, needed, attempts_[needed.value], has_version_[needed.value],
                         judged.action(asset) == plan_action::fresh);
    if (!why)
      continue;
    blocked_from_outside.push_back({asset, needed, std::move(*why)});
  }
}

std::vector<bool> simulated_plan::fresh() const {
  std::vector<bool> found(on.p->assets.size(), false);
  for (std::uint32_t i = 0; i < found.size(); ++i)
    found[i] = scope.in_run[i] && judged.action(asset_index(i)) == plan_action::fresh;
  for (const auto& one : blocked_from_outside)
    found[one.asset.value] = false;
  return found;
}

} // namespace troupe_internal::test
