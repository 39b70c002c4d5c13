// One record each.
#include "adapters/journal/lmdb_projection.hpp"

namespace troupe_internal {

result<void> lmdb_projection::put_text(lmdb_table table, std::uint32_t id, std::string_view text, unsigned flags) {
  if (base_)
    return {}; // names are never dropped: live and base share them
  access_.start_record() += text;
  return access_.put(table, id, flags);
}

result<void> lmdb_projection::put_asset_name(asset_id asset, std::string_view name) {
  return put_text(lmdb_table::asset_names, asset.value, name, MDB_APPEND);
}

result<void> lmdb_projection::rename_asset(asset_id asset, std::string_view name) {
  return put_text(lmdb_table::asset_names, asset.value, name);
}

result<void> lmdb_projection::put_identity(asset_id asset, std::string_view identity) {
  return put_text(lmdb_table::identities, asset.value, identity);
}

result<void> lmdb_projection::put_made(path_id path, const made_record& record) {
  return access_.write(base_ ? lmdb_table::base_made : lmdb_table::made, path.value, record);
}

result<void> lmdb_projection::put_path(path_id path, std::string_view text) {
  return put_text(lmdb_table::paths, path.value, text, MDB_APPEND);
}

result<bool> lmdb_projection::get_asset(asset_id asset, asset_record& out) {
  return access_.read(assets(), asset.value, out);
}

result<void> lmdb_projection::put_asset(asset_id asset, const asset_record& record) {
  return access_.write(assets(), asset.value, record);
}

result<void> lmdb_projection::put_file(path_id path, const file_record& record) {
  return access_.write(files(), path.value, record);
}

result<bool> lmdb_projection::get_run(run_number run, run_record& out) {
  if (base_) {
    out = {};
    return false;
  }
  auto cached = runs_.find(run);
  if (cached == runs_.end()) {
    const auto found = access_.read(lmdb_table::runs, run.value, out);
    if (!found || !*found)
      return found;
    cached = runs_.emplace(run, out).first;
  }
  out = cached->second;
  return true;
}

result<void> lmdb_projection::put_run(const run_record& record) {
  if (!base_)
    runs_[record.run] = record;
  return {};
}

result<bool> lmdb_projection::get_open_attempt(run_number run, asset_id asset, open_attempt& out) {
  return access_.read(open_table(), open_attempt_key(run, asset), out);
}

result<void> lmdb_projection::put_open_attempt(const open_attempt& attempt) {
  return access_.write(open_table(), open_attempt_key(attempt.run, attempt.asset), attempt);
}

result<void> lmdb_projection::erase_open_attempt(run_number run, asset_id asset) {
  return access_.erase(open_table(), open_attempt_key(run, asset));
}

result<bool> lmdb_projection::get_queued(run_number run, run_queued& out) {
  return access_.read(queue(), run.value, out);
}

result<void> lmdb_projection::put_queued(const run_queued& queued) {
  return access_.write(queue(), queued.run.value, queued);
}

result<void> lmdb_projection::erase_queued(run_number run) {
  return access_.erase(queue(), run.value);
}

result<void> lmdb_projection::require_sound_definitions() {
  return guard_ == nullptr ? result<void>() : guard_->require_sound(access_);
}

result<bool> lmdb_projection::get_definition(const digest& of, definition_record& out) {
  if (const auto sound = require_sound_definitions(); !sound)
    return sound.error();
  const auto found = access_.read(definitions(), definition_key(of), out);
  if (found && *found && out.of != of) {
    out = {};
    return false;
  }
  return found;
}

result<void> lmdb_projection::put_definition(const definition_record& record) {
  if (const auto sound = require_sound_definitions(); !sound)
    return sound.error();
  return access_.write(definitions(), definition_key(record.of), record);
}

result<void> lmdb_projection::erase_definition(const digest& of) {
  if (const auto sound = require_sound_definitions(); !sound)
    return sound.error();
  return access_.erase(definitions(), definition_key(of));
}

result<bool> lmdb_projection::get_trigger(const std::string& name, trigger_record& out) {
  const auto found = access_.read(triggers(), trigger_key(name), out);
  if (found && *found && out.trigger != name) {
    out = {};
    return false;
  }
  return found;
}

result<void> lmdb_projection::put_trigger(const trigger_record& record) {
  return access_.write(triggers(), trigger_key(record.trigger), record);
}

result<bool> lmdb_projection::get_pending(std::uint64_t number, event_taken& out) {
  return access_.read(pending(), number, out);
}

result<void> lmdb_projection::put_pending(const event_taken& what) {
  return access_.write(pending(), what.event, what);
}

result<void> lmdb_projection::erase_pending(std::uint64_t number) {
  return access_.erase(pending(), number);
}

result<void> lmdb_projection::put_seen_key(const seen_key& record) {
  return access_.write(base_ ? lmdb_table::base_keys : lmdb_table::keys, seen_key_key(record.trigger, record.key),
                       record);
}

result<void> lmdb_projection::put_watched(const watched_record& record) {
  return access_.write(watched(), watched_key(record.trigger, record.file.path), record);
}

result<void> lmdb_projection::erase_watched(const std::string& trigger, const std::string& path) {
  return access_.erase(watched(), watched_key(trigger, path));
}

result<bool> lmdb_projection::get_notice(std::uint64_t notice, notice_taken& out) {
  return access_.read(notices(), notice, out);
}

result<void> lmdb_projection::put_notice(const notice_taken& notice) {
  return access_.write(notices(), notice.notice, notice);
}

result<void> lmdb_projection::erase_notice(std::uint64_t notice) {
  return access_.erase(notices(), notice);
}

result<void> lmdb_projection::erase_seen_key(const std::string& trigger, const std::string& key) {
  const auto table = base_ ? lmdb_table::base_keys : lmdb_table::keys;
  seen_key known;
  const auto found = access_.read(table, seen_key_key(trigger, key), known);
  if (!found)
    return found.error();
  return *found && known.trigger == trigger && known.key == key ? access_.erase(table, seen_key_key(trigger, key))
                                                                : result<void>();
}

result<void> lmdb_projection::erase_checkpoint(run_number run) {
  return base_ ? result<void>() : access_.erase(lmdb_table::checkpoints, run.value);
}

result<void> lmdb_projection::flush() {
  for (const auto& [run, record] : runs_)
    if (auto done = access_.write(lmdb_table::runs, run.value, record); !done)
      return done;
  return access_.write(lmdb_table::meta, base_ ? 1 : 0, info_);
}

} // namespace troupe_internal
