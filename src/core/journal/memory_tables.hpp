// Projections in memory: what a replay is compared with, and what a store for tests is made of. Knows no storage.
#pragma once

#include "core/journal/projection.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Copyable: a copy is a snapshot. One thread at a time.
class memory_tables final : public projection_tables {
public:
  state_info state;
  std::map<asset_id, std::string> asset_names;
  std::map<asset_id, std::string> identities;
  std::map<path_id, std::string> paths;
  std::map<path_id, made_record> made;
  std::map<asset_id, asset_record> assets;
  std::map<path_id, file_record> files;
  std::map<run_number, run_record> runs;
  std::map<std::pair<run_number, asset_id>, open_attempt> open_attempts;
  std::map<run_number, run_queued> queue;
  std::map<std::uint64_t, definition_record> definitions; ///< by definition_key()
  std::map<std::uint64_t, trigger_record> triggers;       ///< by trigger_key()
  std::map<std::uint64_t, event_taken> pending;           ///< by number
  std::map<std::uint64_t, seen_key> keys;                 ///< by seen_key_key()
  std::map<std::uint64_t, watched_record> watched;        ///< by watched_key()
  std::map<std::uint64_t, notice_taken> notices;          ///< by number
  std::vector<run_number> ended; ///< runs whose checkpoints are of no more use, since it was last cleared
  bool keeps_runs = true;        ///< false: a base

  [[nodiscard]] state_info& info() override { return state; }
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
  [[nodiscard]] result<bool> get_pending(std::uint64_t number, event_taken& out) override;
  [[nodiscard]] result<void> put_pending(const event_taken& what) override;
  [[nodiscard]] result<void> erase_pending(std::uint64_t number) override;
  [[nodiscard]] result<void> put_seen_key(const seen_key& record) override;
  [[nodiscard]] result<void> put_watched(const watched_record& record) override;
  [[nodiscard]] result<void> erase_watched(const std::string& trigger, const std::string& path) override;
  [[nodiscard]] result<bool> get_notice(std::uint64_t number, notice_taken& out) override;
  [[nodiscard]] result<void> put_notice(const notice_taken& notice) override;
  [[nodiscard]] result<void> erase_notice(std::uint64_t number) override;
  [[nodiscard]] result<void> erase_seen_key(const std::string& trigger, const std::string& key) override;
  [[nodiscard]] result<void> erase_checkpoint(run_number run) override;
};

} // namespace troupe_internal
