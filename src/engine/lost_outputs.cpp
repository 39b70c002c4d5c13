// What a run that is resumed had done, as its plan finds it now.
#include "engine/lost_outputs.hpp"

#include "core/freshness/lost.hpp"

namespace troupe_internal {

bool is_lost(const project& on, const planning& plan, const run_record& run, const run_state& state,
             asset_index asset) {
  done_asset done;
  done.record = plan.records[asset.value].get();
  done.status = state.at(*state.position(plan.names->id_of(asset))).status;
  done.fresh = plan.plan->action(asset) == plan_action::fresh;
  done.source = on.p->is_source(asset);
  done.outputs = [&](std::vector<file_version>& found) {
    return plan.looks->observe_outputs(asset, look::anew, found).has_value();
  };
  return counts_no_more(done, run, *plan.names);
}

} // namespace troupe_internal
