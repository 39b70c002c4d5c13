// The last materialization of an asset against its files, and against the run that is resumed.
#include "core/freshness/lost.hpp"

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

bool counts_no_more(const done_asset& asset, const run_record& run, const name_source& names) {
  if (asset.record == nullptr || !asset.record->last)
    return true;
  const auto& record = *asset.record;
  if (touched_since(record, run, asset.status) && !asset.fresh)
    return true;
  std::vector<file_version> outputs;
  if (!asset.outputs(outputs))
    return true;
  // Of all that is compared, the outputs alone.
  freshness_policy policy;
  policy.source = asset.source;
  auto as_made = record;
  as_made.attempt = attempt_state::succeeded;
  std::vector<reason> reasons;
  judge_freshness(as_made, record.last->made_from, outputs, policy, names, reasons);
  return !reasons.empty();
}

} // namespace troupe_internal
