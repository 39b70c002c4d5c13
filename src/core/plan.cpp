// One step of the plan.
#include "core/plan.hpp"

namespace troupe {

planner::planner(const pipeline& p, const asset_graph& graph, std::vector<bool> in_run, std::vector<bool> forced,
                 timestamp now, const name_source& names)
    : p_(p), graph_(graph), in_run_(std::move(in_run)), forced_(std::move(forced)), now_(now), names_(names),
      action_(p.assets.size(), plan_action::fresh) {}

freshness_policy planner::policy_of(asset_index asset, timestamp now) const {
  const auto& settings = p_.settings_of(asset);
  return {forced_[asset.value], settings.always, p_.is_source(asset), settings.max_age, now};
}

void planner::judge(asset_index asset, const asset_record& record, const fingerprint& now,
                    std::span<const file_version> outputs) {
  scratch_.clear();
  judge_freshness(record, now, outputs, policy_of(asset, now_), names_, scratch_);
  auto action = scratch_.empty() ? plan_action::fresh : plan_action::run;
  if (action == plan_action::fresh) {
    for (const auto upstream : graph_.upstream(asset)) {
      if (!in_run_[upstream.value] || action_[upstream.value] == plan_action::fresh)
        continue;
      action = plan_action::maybe;
      scratch_.push_back({reason_kind::upstream_changed, std::string(p_.asset(upstream).name)});
    }
  }
  action_[asset.value] = action;
  if (action != plan_action::fresh)
    to_do_.push_back({asset, scratch_});
}

} // namespace troupe
