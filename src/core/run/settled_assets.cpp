// Events, as far as other runs care.
#include "core/run/settled_assets.hpp"

namespace troupe_internal {

settled_assets::settled_assets(const run_state& state) : settled_(state.size(), false) {
  for (std::uint32_t position = 0; position < state.size(); ++position)
    settled_[position] = is_final(state.at(position).status);
}

std::vector<asset_id> settled_assets::take(const run_logic& logic, const std::vector<event>& events) {
  std::vector<asset_id> settled;
  const auto settles = [&](asset_id asset) {
    const auto position = logic.state().position(asset);
    if (!position || !is_final(logic.state().at(*position).status))
      return; // it is made once more
    settled_[*position] = true;
    settled.push_back(asset);
  };
  for (const auto& e : events) {
    if (const auto* fresh = std::get_if<asset_found_fresh>(&e))
      settles(fresh->asset);
    else if (const auto* ended = std::get_if<attempt_finished>(&e);
             ended != nullptr && !ended->retry_at && ended->outcome != outcome_kind::outdated)
      settles(ended->asset);
    else if (const auto* several = std::get_if<assets_settled>(&e))
      for (const auto& one : several->assets)
        settles(one.asset);
  }
  return settled;
}

std::vector<asset_id> records_changed_by(const std::vector<event>& events) {
  std::vector<asset_id> changed;
  for (const auto& e : events) {
    if (const auto* began = std::get_if<attempt_started>(&e))
      changed.push_back(began->asset);
    else if (const auto* ended = std::get_if<attempt_finished>(&e))
      changed.push_back(ended->asset);
    else if (const auto* restated = std::get_if<record_restated>(&e))
      changed.push_back(restated->asset);
  }
  return changed;
}

} // namespace troupe_internal
