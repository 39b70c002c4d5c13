// Patterns, folders and records held against one path.
#include "cli/file_users.hpp"

#include "adapters/files/posix_file_system.hpp"
#include "cli/asset_lookup.hpp"
#include "core/pipeline/glob.hpp"
#include "core/pipeline/selection.hpp"
#include "engine/recorded_readers.hpp"

#include <algorithm>
#include <utility>

namespace troupe_internal::cli {

namespace {

std::optional<std::string> declared_input(const project& on, asset_index asset, const std::string& identity) {
  const auto& p = *on.p;
  const auto& same = on.graph->same();
  for (const auto& input : p.asset(asset).inputs) {
    const auto own = same.text_of(p, input.path);
    const bool takes = input.glob ? glob_takes(same.pattern(p, input.path), identity)
                                  : identity == own || same.is_beneath(identity, own);
    if (takes && !is_excluded(p, same, asset, identity))
      return std::string(p.path(input.path));
  }
  return std::nullopt;
}

} // namespace

result<file_users> users_of_file(const project& on, const std::string& file) {
  const auto files = posix_file_system::open(on.p->folder);
  if (!files)
    return files.error();
  file_users found;
  found.file = named_in(*on.p, file);
  const auto identity = (*files)->resolver().identity_of(found.file);
  found.maker = on.graph->maker_of(*on.p, identity);
  const auto reported = recorded_readers(on, found.file);
  if (!reported)
    return reported.error();
  for (std::uint32_t i = 0; i < on.p->assets.size(); ++i) {
    const asset_index asset(i);
    if (auto input = declared_input(on, asset, identity))
      found.readers.push_back({asset, std::move(*input)});
    else if (std::binary_search(reported->begin(), reported->end(), asset))
      found.readers.push_back({asset, {}});
  }
  return found;
}

result<plan_report> plan_if_changed(const project& on, const std::vector<std::string>& selection,
                                    const std::vector<std::string>& files) {
  const auto selected = select_assets(*on.p, *on.graph, selection);
  if (!selected)
    return selected.error();
  std::vector<planned_asset> planned(on.p->assets.size());
  for (const auto& file : files) {
    const auto users = users_of_file(on, file);
    if (!users)
      return users.error();
    const auto mark = [&](asset_index asset, reason why) {
      planned[asset.value].action = plan_action::run;
      planned[asset.value].reasons.push_back(std::move(why));
    };
    if (users->maker && !on.p->is_source(*users->maker)) { // it makes the file again
      mark(*users->maker, {reason_kind::output_modified, users->file});
      continue;
    }
    for (const auto& reader : users->readers)
      mark(reader.asset, {reason_kind::input_changed, users->file});
    if (users->maker)
      for (const auto needing : on.graph->downstream(*users->maker))
        if (planned[needing.value].action == plan_action::fresh)
          mark(needing, {reason_kind::upstream_changed, std::string(on.p->asset(*users->maker).name)});
  }
  plan_report plan;
  for (const auto asset : on.graph->topological_order()) {
    auto& own = planned[asset.value];
    if (own.action == plan_action::fresh)
      for (const auto upstream : on.graph->upstream(asset))
        if (planned[upstream.value].action != plan_action::fresh) {
          own.action = plan_action::maybe;
          own.reasons.push_back({reason_kind::upstream_changed, std::string(on.p->asset(upstream).name)});
        }
    if (own.action != plan_action::fresh && std::binary_search(selected->begin(), selected->end(), asset)) {
      plan.order.push_back(asset);
      plan.assets.push_back(own);
    }
  }
  return plan;
}

} // namespace troupe_internal::cli
