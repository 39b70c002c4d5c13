// Whether an asset is fresh: on the loop where there is little to read, on the pool otherwise.
#include "engine/asset_worker.hpp"

#include "core/model/delta.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe_internal {

void asset_worker::examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) {
  hand_out();
  // Ends and starts go before: what follows from them is waited for.
  setup_.loop.post_idle([this, asset, upstreams = std::move(upstreams), done = std::move(done)]() mutable {
    if (const auto seen = examines_quickly(asset)) {
      if (auto found = look_at(asset, upstreams, *seen))
        done(std::move(*found));
    } else {
      submit([this, asset, upstreams = std::move(upstreams), done = std::move(done)] {
        if (auto found = look_at(asset, upstreams, {}))
          done(std::move(*found));
      });
    }
    take_back();
  });
}

std::optional<examination> asset_worker::look_at(asset_index asset, const upstream_view& upstreams,
                                                 const recent_glances& seen) {
  if (setup_.files.broken_off())
    return std::nullopt;
  auto& found = found_[asset.value];
  if (!found)
    found = std::make_unique<findings>();
  const auto& record = *records_[asset.value];
  const auto& deps = setup_.p.asset(asset).deps;
  setup_.looks.examine(
      asset, record,
      [&](asset_index dep) {
        const auto at = std::find(deps.begin(), deps.end(), dep);
        return upstreams.versions[static_cast<std::size_t>(at - deps.begin())];
      },
      look::anew, *found, seen, upstreams.failed);
  if (setup_.files.broken_off())
    return std::nullopt; // what could not be read must not pass for what is wrong with it
  examination out;
  out.impossible = found->impossible;
  out.warnings = found->warnings;
  judge_freshness(record, found->now, found->outputs, setup_.plan.policy_of(asset), setup_.names, out.reasons,
                  found->declared_definition());
  if (found->value)
    out.reasons.push_back(*found->value);
  setup_.plan.restate(out.reasons);
  if (!out.impossible && out.reasons.empty() && found->declared_definition() != nullptr) {
    const std::lock_guard lock(restated_mutex_);
    restated_.emplace_back(record_restated{
        setup_.names.id_of(asset), restate(*record.last, found->now, found->outputs, [&](production& made) {
          if (!setup_.p.is_source(asset))
            note_declaration(setup_.p, asset, setup_.names, setup_.pipeline_file, made);
        })});
    has_restated_.store(true);
  }
  name_changed_members(out.reasons, record, found->now, found->outputs, setup_.p.is_source(asset), setup_.names,
                       setup_.table, setup_.lists);
  if (!out.impossible && !out.reasons.empty() && setup_.p.settings_of(asset).clear_outputs)
    note_absent(asset, out);
  if (!out.impossible && !out.reasons.empty() && !setup_.p.is_source(asset)) {
    const auto ready = prepare(asset, *found);
    not_prepared_[asset.value] = ready ? nullptr : std::make_unique<std::string>(ready.error().message);
  }
  if (secrets_) {
    secrets_->hide(out.warnings);
    if (out.impossible)
      secrets_->hide(*out.impossible);
  }
  examined_at_[asset.value] = setup_.time.monotonic();
  return out;
}

std::vector<event> asset_worker::take_restated() {
  if (!has_restated_.exchange(false))
    return {};
  const std::lock_guard lock(restated_mutex_);
  return std::exchange(restated_, {});
}

void asset_worker::note_absent(asset_index asset, examination& out) {
  std::vector<path_id> now;
  for (const auto& output : found_[asset.value]->outputs)
    if (output.content == absent_file)
      now.push_back(output.path);
  const std::lock_guard lock(absent_mutex_);
  const auto [known, is_first] = absent_.try_emplace(asset.value);
  if (is_first) { // what an attempt of this run makes was absent before it
    const auto& earlier = records_[asset.value]->absent_outputs;
    std::set_union(now.begin(), now.end(), earlier.begin(), earlier.end(), std::back_inserter(known->second));
  }
  out.absent_outputs = known->second;
}

std::optional<recent_glances> asset_worker::reads_little(std::span<const path_slot> slots) const {
  constexpr std::size_t few = 16;
  if (slots.size() > few)
    return std::nullopt;
  recent_glances seen;
  std::uint64_t bytes = 0;
  for (const auto slot : slots) {
    const auto more = setup_.table.bytes_to_read(slot, seen);
    if (!more || (bytes += *more) > file_table::small_file)
      return std::nullopt;
  }
  return seen;
}

std::optional<recent_glances> asset_worker::examines_quickly(asset_index asset) const {
  const auto& spec = setup_.p.asset(asset);
  const auto& last = records_[asset.value]->last;
  const auto& env = setup_.p.settings_of(asset).env;
  if ((last && !last->made_from.discovered.empty()) ||
      std::any_of(spec.inputs.begin(), spec.inputs.end(), [](const auto& input) { return input.glob; }) ||
      std::any_of(env.begin(), env.end(), [](const auto& entry) { return entry.source == env_source::from_file; }))
    return std::nullopt;
  std::vector<path_slot> slots;
  slots.reserve(spec.inputs.size() + spec.outputs.size());
  for (std::size_t k = 0; k < spec.inputs.size(); ++k)
    slots.push_back(setup_.names.input_slot(asset, k));
  for (const auto output : spec.outputs)
    slots.emplace_back(output.value);
  return reads_little(slots);
}

} // namespace troupe_internal
