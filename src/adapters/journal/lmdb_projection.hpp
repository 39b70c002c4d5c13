// The projections as tables of LMDB within one write transaction. Knows where each lies, not what events mean.
#pragma once

#include "adapters/journal/lmdb_inspect.hpp"
#include "adapters/journal/lmdb_tables.hpp"
#include "core/journal/projection.hpp"

#include <map>

namespace troupe_internal {

/// The live projections, or those of the base. Changes are in LMDB only after flush(). One thread, one transaction.
class lmdb_projection final : public projection_tables {
public:
  enum class side : std::uint8_t { live, base };
  /// `guard`: of definitions whose tables may be damaged; null: they are sound. It outlives this.
  lmdb_projection(lmdb_access& access, side which, state_info info, definition_guard* guard = nullptr)
      : access_(access), base_(which == side::base), info_(std::move(info)), guard_(guard) {}

  [[nodiscard]] state_info& info() override { return info_; }
  [[nodiscard]] result<void> put_asset_name(asset_id asset, std::string_view name) override;
  [[nodiscard]] result<void> rename_asset(asset_id asset, std::string_view name) override;
  [[nodiscard]] result<void> put_identity(asset_id asset, std::string_view identity) override;
  [[nodiscard]] result<void> put_made(path_id path, const made_record& record) override;
  [[nodiscard]] result<void> put_path(path_id path, std::string_view text) override;
  [[nodiscard]] result<bool> get_asset(asset_id asset, asset_record& out) override;
  [[nodiscard]] result<void> put_asset(asset_id asset, const asset_record& record) override;
  [[nodiscard]] result<void> put_file(path_id path, const file_record& record) override;
  [[nodiscard]] result<bool> get_run(run_number run, run_record& out) override;
  [[nodiscard]] result<void> put_run(const run_record& record) override;
  [[nodiscard]] result<bool> get_open_attempt(run_number run, asset_id asset, open_attempt& out) override;
  [[nodiscard]] result<void> put_open_attempt(const open_attempt& attempt) override;
  [[nodiscard]] result<void> erase_open_attempt(run_number run, asset_id asset) override;
  [[nodiscard]] result<bool> get_queued(run_number run, run_queued& out) override;
  [[nodiscard]] result<void> put_queued(const run_queued& queued) override;
  [[nodiscard]] result<void> erase_queued(run_number run) override;
  [[nodiscard]] result<bool> get_definition(const digest& of, definition_record& out) override;
  [[nodiscard]] result<void> put_definition(const definition_record& record) override;
  [[nodiscard]] result<void> erase_definition(const digest& of) override;
  [[nodiscard]] result<bool> get_trigger(const std::string& name, trigger_record& out) override;
  [[nodiscard]] result<void> put_trigger(const trigger_record& record) override;
  [[nodiscard]] result<bool> get_pending(std::uint64_t event, event_taken& out) override;
  [[nodiscard]] result<void> put_pending(const event_taken& what) override;
  [[nodiscard]] result<void> erase_pending(std::uint64_t event) override;
  [[nodiscard]] result<void> put_seen_key(const seen_key& record) override;
  [[nodiscard]] result<void> put_watched(const watched_record& record) override;
  [[nodiscard]] result<void> erase_watched(const std::string& trigger, const std::string& path) override;
  [[nodiscard]] result<bool> get_notice(std::uint64_t notice, notice_taken& out) override;
  [[nodiscard]] result<void> put_notice(const notice_taken& notice) override;
  [[nodiscard]] result<void> erase_notice(std::uint64_t notice) override;
  [[nodiscard]] result<void> erase_seen_key(const std::string& trigger, const std::string& key) override;
  [[nodiscard]] result<void> erase_checkpoint(run_number run) override;

  /// Writes the state's facts and the runs that changed: nearly every event changes its run, so that is done once.
  [[nodiscard]] result<void> flush();

private:
  [[nodiscard]] result<void> require_sound_definitions();
  [[nodiscard]] result<void> put_text(lmdb_table table, std::uint32_t id, std::string_view text, unsigned flags = 0);
  [[nodiscard]] lmdb_table assets() const { return base_ ? lmdb_table::base_assets : lmdb_table::assets; }
  [[nodiscard]] lmdb_table queue() const { return base_ ? lmdb_table::base_queue : lmdb_table::queue; }
  [[nodiscard]] lmdb_table definitions() const {
    return base_ ? lmdb_table::base_definitions : lmdb_table::definitions;
  }
  [[nodiscard]] lmdb_table triggers() const { return base_ ? lmdb_table::base_triggers : lmdb_table::triggers; }
  [[nodiscard]] lmdb_table pending() const { return base_ ? lmdb_table::base_pending : lmdb_table::pending; }
  [[nodiscard]] lmdb_table watched() const { return base_ ? lmdb_table::base_watched : lmdb_table::watched; }
  [[nodiscard]] lmdb_table notices() const { return base_ ? lmdb_table::base_notices : lmdb_table::notices; }
  [[nodiscard]] lmdb_table files() const { return base_ ? lmdb_table::base_files : lmdb_table::files; }
  [[nodiscard]] lmdb_table open_table() const {
    return base_ ? lmdb_table::base_open_attempts : lmdb_table::open_attempts;
  }

  lmdb_access& access_;
  bool base_;
  state_info info_;
  definition_guard* guard_;
  std::map<run_number, run_record> runs_; ///< read or changed in this transaction
};

/// The key of an open attempt.
[[nodiscard]] constexpr std::uint64_t open_attempt_key(run_number run, asset_id asset) {
  return std::uint64_t{run.value} << 32U | asset.value;
}

} // namespace troupe_internal
