// The last materialization of an asset against its files, and against the run that is resumed.
#include "engine/lost_outputs.hpp"

#include "core/freshness/freshness.hpp"

namespace troupe_internal {

namespace {

/// Another run has started an attempt at the asset, or its files were adopted, after this run had done with it.
bool touched_since(const asset_record& record, const run_record& run, asset_status status) {
  if (status == asset_status::succeeded)
    return record.attempt_run != run.run || record.last->run != run.run;
  return record.attempt_run > run.run || record.attempt_started_at > run.started_at ||
         record.last->finished_at > run.started_at;
}

} // namespace

bool is_lost(const project& on, const planning& plan, const run_record& run, const run_state& state,
             asset_index asset) {
  const auto& record = plan.records[asset.value];
  if (!record || !record->last)
    return true;
  const auto status = state.at(*state.position(plan.names->id_of(asset))).status;
  if (touched_since(*record, run, status) && plan.plan->action(asset) != plan_action::fresh)
    return true;
  std::vector<file_version> outputs;
  if (!plan.looks->observe_outputs(asset, look::anew, outputs))
    return true;
  // Of all that is compared, the outputs alone.
  freshness_policy policy;
  policy.source = on.p->is_source(asset);
  auto as_made = *record;
  as_made.attempt = attempt_state::succeeded;
  std::vector<reason> reasons;
  judge_freshness(as_made, record->last->made_from, outputs, policy, *plan.names, reasons);
  return !reasons.empty();
}

} // namespace troupe_internal
