// A journal_snapshot over one LMDB read transaction. Knows nothing of writing.
#pragma once

#include "adapters/journal/lmdb_tables.hpp"
#include "ports/journal_store.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>

namespace troupe_internal {

class lmdb_snapshot final : public journal_snapshot {
public:
  [[nodiscard]] static result<std::unique_ptr<lmdb_snapshot>> take(const std::shared_ptr<lmdb_env>& env);

  [[nodiscard]] const state_info& info() const override { return info_; }
  void release_memory() const override;
  [[nodiscard]] std::unique_ptr<const journal_snapshot> twin() const override;
  /// What the base holds: the state as of the event before info().first_seq.
  [[nodiscard]] const state_info& base_info() const { return base_info_; }
  [[nodiscard]] result<void>
  visit_events(std::uint64_t first_seq,
               const std::function<bool(std::uint64_t seq, const event&)>& visit) const override;
  [[nodiscard]] result<void>
  visit_asset_names(const std::function<bool(asset_id, std::string_view)>& visit) const override;
  [[nodiscard]] result<void>
  visit_identities(const std::function<bool(asset_id, std::string_view)>& visit) const override;
  [[nodiscard]] result<bool> read_made(path_id path, made_record& out) const override;
  [[nodiscard]] result<void> visit_made(const std::function<bool(path_id)>& wanted,
                                        const std::function<bool(path_id, const made_record&)>& visit) const override;
  [[nodiscard]] result<void> visit_paths(const std::function<bool(path_id, std::string_view)>& visit) const override;
  [[nodiscard]] result<bool> read_asset(asset_id asset, asset_record& out) const override;
  [[nodiscard]] result<bool> read_base_asset(asset_id asset, asset_record& out) const override;
  [[nodiscard]] result<bool> read_definition(const digest& of, asset_definition& out) const override;
  [[nodiscard]] result<void>
  visit_assets(const std::function<bool(asset_id, const asset_record&)>& visit) const override;
  [[nodiscard]] result<void> visit_files(const std::function<bool(path_id, const file_record&)>& visit) const override;
  [[nodiscard]] result<std::optional<run_record>> read_run(run_number run) const override;
  [[nodiscard]] result<void>
  visit_runs_newest_first(const std::function<bool(const run_record&)>& visit) const override;
  [[nodiscard]] result<void> visit_queue(const std::function<bool(const run_queued&)>& visit) const override;
  [[nodiscard]] result<void> visit_triggers(const std::function<bool(const trigger_record&)>& visit) const override;
  [[nodiscard]] result<bool> read_trigger(const std::string& name, trigger_record& out) const override;
  [[nodiscard]] result<void> visit_pending(const std::function<bool(const event_taken&)>& visit) const override;
  [[nodiscard]] result<bool> read_seen_key(const std::string& trigger, const std::string& key,
                                           seen_key& out) const override;
  [[nodiscard]] result<std::vector<open_attempt>> open_attempts() const override;
  [[nodiscard]] result<std::optional<run_checkpoint>> read_checkpoint(run_number run) const override;
  [[nodiscard]] error damaged_event(std::uint64_t seq, const std::string& finding) const override;
  [[nodiscard]] error damaged_run(run_number run, const std::string& finding) const override;

  /// Looks at the pages of events from number `first` on: before LMDB is let loose on them.
  [[nodiscard]] result<void> inspect_events_from(std::uint64_t first) const;
  /// For those who look at records as such.
  [[nodiscard]] lmdb_access& access() const { return access_; }

private:
  lmdb_snapshot(std::shared_ptr<lmdb_env> env, lmdb_txn txn)
      : env_(std::move(env)), txn_(std::move(txn)), access_(txn_, env_->tables(), env_->folder()) {}
  /// Whether what the state says of itself can be, and fits the tables: what is reserved by its counts lies there.
  [[nodiscard]] result<void> check_info() const;

  std::shared_ptr<lmdb_env> env_;
  lmdb_txn txn_;
  mutable bool inspected_definitions_ = false;
  mutable std::uint64_t inspected_from_ = std::numeric_limits<std::uint64_t>::max();
  mutable lmdb_access access_;                ///< mutable: reading keeps nothing but scratch memory in it
  mutable std::optional<lmdb_cursor> assets_; ///< where the last asset was read: the next one mostly follows it
  state_info info_;
  state_info base_info_;
  mutable std::span<std::byte> mapped_; ///< where the journal lies in memory, once asked
};

/// Visits records in order of key, decoded into one `T` whose memory is reused; false from `visit` stops.
template <class T, class Visit>
[[nodiscard]] result<void> visit_records(lmdb_access& access, lmdb_table table, const Visit& visit,
                                         MDB_cursor_op first = MDB_FIRST, MDB_cursor_op next = MDB_NEXT) {
  lmdb_cursor cursor(access, table);
  T value;
  auto more = cursor.move(first);
  for (; more && *more; more = cursor.move(next)) {
    if (const char* problem = decode(cursor.content(), value, access.layout()))
      return access.damage(table, cursor.key(), problem);
    if (!visit(cursor.key(), value))
      return {};
  }
  return more ? result<void>() : result<void>(more.error());
}

} // namespace troupe_internal
