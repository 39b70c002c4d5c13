// Declarations to digests, and groups of assets to events.
#include "engine/run_definitions.hpp"

#include "core/freshness/declared_text.hpp"
#include "core/run/run_state.hpp"
#include "engine/planning.hpp"

#include <map>

namespace troupe_internal {

asset_definition run_definitions::text_of(asset_index asset) {
  if (counts_.empty())
    counts_ = assets_of_declarations(p_);
  return declared_text(p_, asset, counts_);
}

const digest& run_definitions::of(asset_index asset) {
  const auto declaration = p_.asset(asset).declaration;
  auto found = by_declaration_.find(declaration);
  if (found == by_declaration_.end())
    found = by_declaration_.emplace(declaration, digest_of(text_of(asset))).first;
  return found->second;
}

std::optional<digest> run_definitions::known(asset_index asset) const {
  const auto found = by_declaration_.find(p_.asset(asset).declaration);
  return found == by_declaration_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<event> run_definitions::to_record(std::span<const asset_index> assets,
                                              const std::vector<std::uint64_t>& recorded, const catalog& names) {
  struct group {
    asset_index one;
    std::vector<asset_id> ids{};
  };
  std::map<std::uint32_t, group> changed; // by declaration
  for (const auto asset : assets)
    if (definition_key(of(asset)) != recorded[asset.value]) {
      auto& same = changed.try_emplace(p_.asset(asset).declaration, group{asset}).first->second;
      same.ids.push_back(names.id_of(asset));
    }
  std::vector<event> events;
  events.reserve(changed.size());
  for (auto& [declaration, same] : changed)
    events.emplace_back(definition_recorded{make_asset_set(std::move(same.ids)), of(same.one), text_of(same.one)});
  return events;
}

result<void> read_recorded(const journal_snapshot& snapshot, const catalog& names, std::span<const asset_index> assets,
                           std::vector<std::uint64_t>& recorded) {
  asset_record record;
  for (const auto asset : assets) {
    if (const auto read = snapshot.read_asset(names.id_of(asset), record); !read)
      return read.error();
    recorded[asset.value] = definition_key(record.definition);
  }
  return {};
}

std::vector<event> definitions_to_record(planning& plan, std::vector<asset_index> assets,
                                         std::vector<event>& restating) {
  auto& definitions = *plan.definitions;
  const auto name_it = [&](asset_id id, materialized& made) {
    const auto asset = plan.names->index_of(id);
    if (!asset)
      return;
    made.definition = definitions.of(*asset);
    assets.push_back(*asset);
  };
  for (auto& e : restating) {
    if (auto* restated = std::get_if<record_restated>(&e))
      name_it(restated->asset, restated->made);
    else if (auto* adopted = std::get_if<asset_adopted>(&e))
      name_it(adopted->asset, adopted->made);
  }
  return definitions.to_record(assets, plan.recorded, *plan.names);
}

} // namespace troupe_internal
