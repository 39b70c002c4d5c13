// One step of the plan.
#include "core/freshness/plan.hpp"

#include "core/pipeline/glob.hpp"
#include "core/pipeline/parent_paths.hpp"

#include <algorithm>
#include <unordered_set>

namespace troupe_internal {

namespace {

bool holds(const std::vector<file_version>& files, std::string_view path, const name_source& names) {
  return std::any_of(files.begin(), files.end(),
                     [&](const file_version& f) { return names.path_text(f.path) == path; });
}

} // namespace

planner::planner(const pipeline& p, const asset_graph& graph, std::vector<bool> in_run, std::vector<bool> forced,
                 timestamp now, const name_source& names)
    : p_(p), graph_(graph), in_run_(std::move(in_run)), forced_(std::move(forced)), now_(now), names_(names),
      action_(p.assets.size(), plan_action::fresh) {}

freshness_policy planner::policy_of(asset_index asset) const {
  const auto& settings = p_.settings_of(asset);
  freshness_policy policy{
      forced_[asset.value], settings.always, p_.is_source(asset), settings.max_age, now_, {}, &p_, asset};
  if (const auto cycle = in_cycle_.find(asset.value); cycle != in_cycle_.end())
    policy.cycle = cycle->second;
  return policy;
}

bool planner::may_be_undone(asset_index asset, const asset_record& record, const fingerprint& now,
                            std::span<const asset_index> running) const {
  const auto& same = graph_.same();
  // Only what an asset makes can change back; whoever makes a source's files does so elsewhere.
  std::unordered_set<std::string_view> made, above, assets;
  for (const auto upstream : running) {
    assets.insert(p_.asset(upstream).name);
    if (p_.is_source(upstream))
      continue;
    for (const auto output : p_.asset(upstream).outputs) {
      made.insert(same.text_of(p_, output));
      for (auto folder = same.parent(same.text_of(p_, output)); folder.size() > 1; folder = same.parent(folder))
        above.insert(folder);
    }
  }
  const auto is_made = [&](std::string_view path) {
    if (const auto known = p_.paths.find(path))
      path = same.text_of(p_, path_index(*known));
    if (above.contains(path))
      return true;
    for (auto part = path; !part.empty() && part != "."; part = parent_path(part))
      if (made.contains(part))
        return true;
    return false;
  };
  const auto& before = record.last->made_from;
  return std::all_of(scratch_.begin(), scratch_.end(), [&](const reason& why) {
    switch (why.kind) {
    case reason_kind::input_changed:
    case reason_kind::executable_changed:
      return is_made(why.detail);
    case reason_kind::input_added: // a file that was absent, or that a glob matches now
      return is_made(why.detail) &&
             (holds(before.inputs, why.detail, names_) || holds(before.discovered, why.detail, names_));
    case reason_kind::input_removed: // it is absent, or nothing asks for it any more
      return is_made(why.detail) &&
             (holds(now.inputs, why.detail, names_) || holds(now.discovered, why.detail, names_) ||
              std::any_of(p_.asset(asset).inputs.begin(), p_.asset(asset).inputs.end(), [&](const input_ref& input) {
                return input.glob && glob_takes(p_.path(input.path), why.detail);
              }));
    case reason_kind::upstream_changed:
      return assets.contains(why.detail);
    default:
      return false;
    }
  });
}

void planner::restate(std::vector<reason>& reasons) const {
  if (instead_.empty())
    return;
  for (auto& why : reasons)
    if (why.kind == reason_kind::output_modified && why.note.empty())
      if (const auto known = instead_.find(why.detail); known != instead_.end())
        why = known->second;
}

void planner::judge(asset_index asset, const asset_record& record, const fingerprint& now,
                    std::span<const file_version> outputs, const fingerprint* declared,
                    const std::optional<reason>& value) {
  scratch_.clear();
  judge_freshness(record, now, outputs, policy_of(asset), names_, scratch_, declared);
  if (value)
    scratch_.push_back(*value);
  auto action = scratch_.empty() ? plan_action::fresh : plan_action::run;
  running_.clear();
  for (const auto upstream : graph_.upstream(asset))
    if (in_run_[upstream.value] && action_[upstream.value] != plan_action::fresh)
      running_.push_back(upstream);
  if (!running_.empty() && (scratch_.empty() || (record.last && may_be_undone(asset, record, now, running_)))) {
    action = plan_action::maybe;
    scratch_.clear();
    for (const auto upstream : running_)
      scratch_.push_back({reason_kind::upstream_changed, std::string(p_.asset(upstream).name)});
  }
  action_[asset.value] = action;
  if (action != plan_action::fresh)
    to_do_.push_back({asset, scratch_});
}

} // namespace troupe_internal
