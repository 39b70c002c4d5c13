// One walk over the events at most, and none where the records say enough.
#include "engine/definition_history.hpp"

#include "core/freshness/definition_change.hpp"
#include "core/journal/projection.hpp"
#include "core/model/delta.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe_internal {

result<const asset_definition*> definition_texts::find(const digest& of) {
  if (of == digest{} || snapshot_ == nullptr)
    return nullptr;
  auto known = known_.find(of);
  if (known == known_.end()) {
    asset_definition text;
    const auto found = snapshot_->read_definition(of, text);
    if (!found)
      return found.error();
    if (!*found && !events_read_) {
      events_read_ = true;
      std::optional<error> damage;
      const auto visited = snapshot_->visit_events(snapshot_->info().first_seq, [&](std::uint64_t seq, const event& e) {
        if (const auto* recorded = std::get_if<definition_recorded>(&e)) {
          if (const char* problem = impossible_definition(*recorded, snapshot_->info().asset_count))
            damage = snapshot_->damaged_event(seq, problem);
          else
            add(*recorded);
        }
        return !damage;
      });
      if (damage)
        return std::move(*damage);
      if (!visited)
        return visited.error();
      known = known_.find(of);
    }
    if (known == known_.end())
      known = known_.emplace(of, *found ? std::optional(std::move(text)) : std::nullopt).first;
  }
  return known->second ? &*known->second : nullptr;
}

bool is_about_definition(const reason& why) {
  return why.kind == reason_kind::command_changed || why.kind == reason_kind::env_changed ||
         why.kind == reason_kind::param_changed;
}

result<void> tell_changes(std::vector<reason>& reasons, const digest& was, const asset_definition& now,
                          definition_texts& texts) {
  if (std::none_of(reasons.begin(), reasons.end(), is_about_definition))
    return {};
  const auto before = texts.find(was);
  if (!before)
    return before.error();
  for (auto& why : reasons) {
    if (!is_about_definition(why))
      continue;
    if (*before != nullptr)
      tell_change(why, **before, now);
    else
      tell_that_nothing_was_recorded(why);
  }
  return {};
}

result<void> tell_changes_now(std::vector<reason>& reasons, const asset_record& record, asset_index asset,
                              run_definitions& definitions, definition_texts& texts) {
  if (std::none_of(reasons.begin(), reasons.end(), is_about_definition))
    return {};
  return tell_changes(reasons, record.last ? record.last->definition : digest{}, definitions.text_of(asset), texts);
}

namespace {

/// What the events say of one asset, up to the run that is told of.
struct past {
  std::size_t index = 0; ///< in the report
  digest current{};      ///< as last recorded for it
  digest made{};         ///< of its last materialization
  digest was{};          ///< the same when the run's last attempt with reasons began
};

class walk {
public:
  walk(const run_record& run, definition_texts& texts) : run_(run), texts_(texts) {}

  void of(asset_id id, past what) { assets_.emplace(id.value, what); }
  [[nodiscard]] const std::unordered_map<std::uint32_t, past>& assets() const { return assets_; }

  void take(std::uint64_t seq, const event& e) {
    if (const auto* recorded = std::get_if<definition_recorded>(&e)) {
      texts_.add(*recorded);
      if (seq < run_.segment_seq)
        for (const auto& [first, last] : recorded->assets)
          for (auto id = first.value; id <= last.value; ++id)
            if (auto* asset = find(asset_id(id)))
              asset->current = recorded->of;
    } else if (const auto* began = std::get_if<attempt_started>(&e)) {
      if (auto* asset = began->run == run_.run && !began->reasons.empty() ? find(began->asset) : nullptr)
        asset->was = asset->made;
    } else if (const auto* ended = std::get_if<attempt_finished>(&e)) {
      if (ended->made)
        made(ended->asset, *ended->made);
      if (auto* asset = ended->made && ended->run == run_.run && ended->made->definition ? find(ended->asset) : nullptr)
        asset->current = *ended->made->definition;
    } else if (const auto* restated = std::get_if<record_restated>(&e)) {
      made(restated->asset, restated->made);
    } else if (const auto* adopted = std::get_if<asset_adopted>(&e)) {
      made(adopted->asset, adopted->made);
    }
  }

private:
  past* find(asset_id id) {
    const auto found = assets_.find(id.value);
    return found == assets_.end() ? nullptr : &found->second;
  }
  void made(asset_id id, const materialized& delta) {
    if (auto* asset = find(id))
      asset->made = delta.definition.value_or(delta.full ? digest{} : asset->made);
  }

  const run_record& run_;
  definition_texts& texts_;
  std::unordered_map<std::uint32_t, past> assets_; ///< by asset_id
};

/// Whether what was last recorded for an asset was recorded before the run, so that it is what the run used.
bool is_as_then(const asset_record& now, const run_record& run) {
  return now.definition_seq < run.segment_seq && now.definition != digest{};
}

} // namespace

result<void> tell_definitions(const journal_snapshot& snapshot, const std::vector<asset_id>& ids, run_report& report) {
  definition_texts texts(&snapshot);
  const bool all = report.detail == report_detail::every_attempt;
  walk then(report.run, texts);
  asset_record record;
  bool walks = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& asset = report.assets[i];
    const bool told = std::any_of(asset.reasons.begin(), asset.reasons.end(), is_about_definition);
    if (!told && !all)
      continue;
    if (const auto read = snapshot.read_asset(ids[i], record); !read)
      return read.error();
    if (!told && is_as_then(record, report.run)) {
      asset.definition = record.definition;
      continue;
    }
    walks = true;
    if (const auto read = snapshot.read_base_asset(ids[i], record); !read)
      return read.error();
    const auto made = record.last ? record.last->definition : digest{};
    then.of(ids[i], {i, record.definition, made, made});
  }
  if (walks) {
    std::optional<error> damage;
    const auto walked = snapshot.visit_events(snapshot.info().first_seq, [&](std::uint64_t seq, const event& e) {
      if (const auto* recorded = std::get_if<definition_recorded>(&e))
        if (const char* problem = impossible_definition(*recorded, snapshot.info().asset_count)) {
          damage = snapshot.damaged_event(seq, problem);
          return false;
        }
      then.take(seq, e);
      return seq < report.run.last_seq;
    });
    if (damage)
      return std::move(*damage);
    if (!walked)
      return walked.error();
  }
  for (const auto& [id, found] : then.assets()) {
    auto& asset = report.assets[found.index];
    if (found.current != digest{})
      asset.definition = found.current;
    const auto now = texts.find(found.current);
    if (!now)
      return now.error();
    if (*now != nullptr) {
      if (const auto told = tell_changes(asset.reasons, found.was, **now, texts); !told)
        return told.error();
    } else {
      for (auto& why : asset.reasons)
        tell_that_nothing_was_recorded(why);
    }
  }
  if (!all)
    return {};
  for (const auto& asset : report.assets) {
    if (!asset.definition || report.definitions.contains(*asset.definition))
      continue;
    const auto text = texts.find(*asset.definition);
    if (!text)
      return text.error();
    if (*text != nullptr)
      report.definitions.emplace(*asset.definition, **text);
  }
  return {};
}

} // namespace troupe_internal
