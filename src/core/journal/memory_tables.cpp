// Maps.
#include "core/journal/memory_tables.hpp"

namespace troupe_internal {
namespace {

template <class Map, class Key, class Value>
bool find_in(const Map& map, const Key& key, Value& out) {
  const auto it = map.find(key);
  out = it != map.end() ? it->second : Value{};
  return it != map.end();
}

} // namespace

result<void> memory_tables::put_asset_name(asset_id asset, std::string_view name) {
  asset_names.insert_or_assign(asset, std::string(name));
  return {};
}

result<void> memory_tables::rename_asset(asset_id asset, std::string_view name) {
  return put_asset_name(asset, name);
}

result<void> memory_tables::put_identity(asset_id asset, std::string_view identity) {
  identities.insert_or_assign(asset, std::string(identity));
  return {};
}

result<void> memory_tables::put_made(path_id path, const made_record& record) {
  made.insert_or_assign(path, record);
  return {};
}

result<void> memory_tables::put_path(path_id path, std::string_view text) {
  paths.insert_or_assign(path, std::string(text));
  return {};
}

result<bool> memory_tables::get_asset(asset_id asset, asset_record& out) {
  return find_in(assets, asset, out);
}

result<void> memory_tables::put_asset(asset_id asset, const asset_record& record) {
  assets.insert_or_assign(asset, record);
  return {};
}

result<void> memory_tables::put_file(path_id path, const file_record& record) {
  files.insert_or_assign(path, record);
  return {};
}

result<bool> memory_tables::get_run(run_number run, run_record& out) {
  return find_in(runs, run, out);
}

result<void> memory_tables::put_run(const run_record& record) {
  if (keeps_runs)
    runs.insert_or_assign(record.run, record);
  return {};
}

result<bool> memory_tables::get_open_attempt(run_number run, asset_id asset, open_attempt& out) {
  return find_in(open_attempts, std::pair(run, asset), out);
}

result<void> memory_tables::put_open_attempt(const open_attempt& attempt) {
  open_attempts.insert_or_assign({attempt.run, attempt.asset}, attempt);
  return {};
}

result<void> memory_tables::erase_open_attempt(run_number run, asset_id asset) {
  open_attempts.erase({run, asset});
  return {};
}

result<bool> memory_tables::get_queued(run_number run, run_queued& out) {
  return find_in(queue, run, out);
}

result<void> memory_tables::put_queued(const run_queued& queued) {
  queue.insert_or_assign(queued.run, queued);
  return {};
}

result<void> memory_tables::erase_queued(run_number run) {
  queue.erase(run);
  return {};
}

result<bool> memory_tables::get_definition(const digest& of, definition_record& out) {
  if (find_in(definitions, definition_key(of), out) && out.of == of)
    return true;
  out = {};
  return false;
}

result<void> memory_tables::put_definition(const definition_record& record) {
  definitions.insert_or_assign(definition_key(record.of), record);
  return {};
}

result<void> memory_tables::erase_definition(const digest& of) {
  definitions.erase(definition_key(of));
  return {};
}

result<bool> memory_tables::get_trigger(const std::string& name, trigger_record& out) {
  if (find_in(triggers, trigger_key(name), out) && out.trigger == name)
    return true;
  out = {};
  return false;
}

result<void> memory_tables::put_trigger(const trigger_record& record) {
  triggers.insert_or_assign(trigger_key(record.trigger), record);
  return {};
}

result<bool> memory_tables::get_pending(std::uint64_t number, event_taken& out) {
  return find_in(pending, number, out);
}

result<void> memory_tables::put_pending(const event_taken& what) {
  pending.insert_or_assign(what.event, what);
  return {};
}

result<void> memory_tables::erase_pending(std::uint64_t number) {
  pending.erase(number);
  return {};
}

result<void> memory_tables::put_seen_key(const seen_key& record) {
  keys.insert_or_assign(seen_key_key(record.trigger, record.key), record);
  return {};
}

result<void> memory_tables::put_watched(const watched_record& record) {
  watched.insert_or_assign(watched_key(record.trigger, record.file.path), record);
  return {};
}

result<void> memory_tables::erase_watched(const std::string& trigger, const std::string& path) {
  watched.erase(watched_key(trigger, path));
  return {};
}

result<bool> memory_tables::get_notice(std::uint64_t number, notice_taken& out) {
  return find_in(notices, number, out);
}

result<void> memory_tables::put_notice(const notice_taken& notice) {
  notices.insert_or_assign(notice.notice, notice);
  return {};
}

result<void> memory_tables::erase_notice(std::uint64_t number) {
  notices.erase(number);
  return {};
}

result<void> memory_tables::erase_seen_key(const std::string& trigger, const std::string& key) {
  if (const auto at = keys.find(seen_key_key(trigger, key));
      at != keys.end() && at->second.trigger == trigger && at->second.key == key)
    keys.erase(at);
  return {};
}

result<void> memory_tables::erase_checkpoint(run_number run) {
  ended.push_back(run);
  return {};
}

} // namespace troupe_internal
