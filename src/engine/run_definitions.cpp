// Declarations to digests, and groups of assets to events.
#include "engine/run_definitions.hpp"

#include "core/freshness/declared_text.hpp"
#include "core/run/run_state.hpp"
#include "engine/planning.hpp"

#include <map>

namespace troupe_internal {

const run_definitions::one& run_definitions::worked_out(std::uint32_t declaration, asset_index asset) {
  if (const auto known = by_declaration_.find(declaration); known != by_declaration_.end())
    return known->second;
  if (counts_.empty())
    counts_ = assets_of_declarations(p_);
  auto text = declared_text(p_, asset, counts_);
  const auto of = digest_of(text);
  return by_declaration_.emplace(declaration, one{of, std::move(text)}).first->second;
}

const digest& run_definitions::of(asset_index asset) {
  return worked_out(p_.asset(asset).declaration, asset).of;
}

const asset_definition& run_definitions::text_of(asset_index asset) {
  return worked_out(p_.asset(asset).declaration, asset).text;
}

std::optional<digest> run_definitions::known(asset_index asset) const {
  const auto found = by_declaration_.find(p_.asset(asset).declaration);
  return found == by_declaration_.end() ? std::nullopt : std::optional(found->second.of);
}

std::vector<event> run_definitions::to_record(std::span<const asset_index> assets,
                                              const std::vector<std::uint64_t>& recorded, const catalog& names) {
  std::map<std::uint32_t, std::vector<asset_id>> by_declaration;
  for (const auto asset : assets)
    if (definition_key(of(asset)) != recorded[asset.value])
      by_declaration[p_.asset(asset).declaration].push_back(names.id_of(asset));
  std::vector<event> events;
  events.reserve(by_declaration.size());
  for (auto& [declaration, ids] : by_declaration) {
    const auto& found = by_declaration_.at(declaration);
    events.emplace_back(definition_recorded{make_asset_set(std::move(ids)), found.of, found.text});
  }
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
