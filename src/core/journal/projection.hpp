// The fold of events into projections: the one place that says what an event changes in what a state remembers. Used
// live, on replay, for the base and in memory. Knows nothing of how the tables are stored.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"
#include "core/model/run_record.hpp"
#include "core/model/state_info.hpp"

#include <cstdint>
#include <string_view>

namespace troupe_internal {

/// The tables the fold reads and writes. All fail only for trouble of the storage beneath them. A base (what is left of
/// dropped events) has no runs: it never finds one and ignores what is put.
class projection_tables {
public:
  virtual ~projection_tables() = default;
  [[nodiscard]] virtual state_info& info() = 0;
  [[nodiscard]] virtual result<void> put_asset_name(asset_id asset, std::string_view name) = 0;
  /// The name of an asset that has one already.
  [[nodiscard]] virtual result<void> rename_asset(asset_id asset, std::string_view name) = 0;
  [[nodiscard]] virtual result<void> put_identity(asset_id asset, std::string_view identity) = 0;
  [[nodiscard]] virtual result<void> put_made(path_id path, const made_record& record) = 0;
  [[nodiscard]] virtual result<void> put_path(path_id path, std::string_view text) = 0;
  /// False, and `out` as new, if nothing is recorded.
  [[nodiscard]] virtual result<bool> get_asset(asset_id asset, asset_record& out) = 0;
  [[nodiscard]] virtual result<void> put_asset(asset_id asset, const asset_record& record) = 0;
  [[nodiscard]] virtual result<void> put_file(path_id path, const file_record& record) = 0;
  [[nodiscard]] virtual result<bool> get_run(run_number run, run_record& out) = 0;
  [[nodiscard]] virtual result<void> put_run(const run_record& record) = 0;
  [[nodiscard]] virtual result<bool> get_open_attempt(run_number run, asset_id asset, open_attempt& out) = 0;
  [[nodiscard]] virtual result<void> put_open_attempt(const open_attempt& attempt) = 0;
  [[nodiscard]] virtual result<void> erase_open_attempt(run_number run, asset_id asset) = 0;
  /// The queue: runs that were queued and have neither started nor left it.
  [[nodiscard]] virtual result<bool> get_queued(run_number run, run_queued& out) = 0;
  [[nodiscard]] virtual result<void> put_queued(const run_queued& queued) = 0;
  [[nodiscard]] virtual result<void> erase_queued(run_number run) = 0;
  /// Definitions that records of assets name.
  [[nodiscard]] virtual result<bool> get_definition(const digest& of, definition_record& out) = 0;
  [[nodiscard]] virtual result<void> put_definition(const definition_record& record) = 0;
  [[nodiscard]] virtual result<void> erase_definition(const digest& of) = 0;
  /// Triggers that are, or were, known.
  [[nodiscard]] virtual result<bool> get_trigger(const std::string& name, trigger_record& out) = 0;
  [[nodiscard]] virtual result<void> put_trigger(const trigger_record& record) = 0;
  /// Events of triggers that have no fate yet.
  [[nodiscard]] virtual result<bool> get_pending(std::uint64_t event, event_taken& out) = 0;
  [[nodiscard]] virtual result<void> put_pending(const event_taken& what) = 0;
  [[nodiscard]] virtual result<void> erase_pending(std::uint64_t event) = 0;
  [[nodiscard]] virtual result<void> put_seen_key(const seen_key& record) = 0;
  /// Files as triggers last took notice of them; one that is gone is not kept.
  [[nodiscard]] virtual result<void> put_watched(const watched_record& record) = 0;
  [[nodiscard]] virtual result<void> erase_watched(const std::string& trigger, const std::string& path) = 0;
  /// Notices that are to be delivered, with the targets that are left, or that last.
  [[nodiscard]] virtual result<bool> get_notice(std::uint64_t notice, notice_taken& out) = 0;
  [[nodiscard]] virtual result<void> put_notice(const notice_taken& notice) = 0;
  [[nodiscard]] virtual result<void> erase_notice(std::uint64_t notice) = 0;
  /// One that is not there is no error.
  [[nodiscard]] virtual result<void> erase_seen_key(const std::string& trigger, const std::string& key) = 0;
  /// A run has ended: its checkpoint, if there is one, is of no more use.
  [[nodiscard]] virtual result<void> erase_checkpoint(run_number run) = 0;
};

/// What cannot be about a definition that was recorded, in a state with that many asset ids; null if nothing is.
[[nodiscard]] const char* impossible_definition(const definition_recorded& e, std::uint32_t asset_count);

/// What projector::apply() says of an event that breaks a rule.
[[nodiscard]] error broken_rule(std::uint64_t seq, const std::string& what);

/// Applies events to tables, one after the other. Keeps nothing between events but memory to reuse.
class projector {
public:
  explicit projector(projection_tables& tables) : tables_(tables) {}

  /// Fails with internal if the event breaks a rule of core/model/event.hpp (a gap in the sequence, an id not given
  /// out, a run number used before, ranges of assets out of order); then nothing was changed. Late or repeated reports
  /// of an attempt are no error: they change what they may and nothing else. Events of runs that are no longer kept
  /// still change assets.
  [[nodiscard]] result<void> apply(std::uint64_t seq, const event& e);

private:
  result<void> fold(std::uint64_t seq, const names_interned& e);
  result<void> fold(std::uint64_t seq, const paths_interned& e);
  result<void> fold(std::uint64_t seq, const files_observed& e);
  result<void> fold(std::uint64_t seq, const run_started& e);
  result<void> fold(std::uint64_t seq, const run_resumed& e);
  result<void> fold(std::uint64_t seq, const asset_found_fresh& e);
  result<void> fold(std::uint64_t seq, const attempt_started& e);
  result<void> fold(std::uint64_t seq, const attempt_spawned& e);
  result<void> fold(std::uint64_t seq, const attempt_finished& e);
  result<void> fold(std::uint64_t seq, const assets_settled& e);
  result<void> fold(std::uint64_t seq, const run_stopping& e);
  result<void> fold(std::uint64_t seq, const run_finished& e);
  result<void> fold(std::uint64_t seq, const writer_opened& e);
  result<void> fold(std::uint64_t seq, const writer_closed& e);
  result<void> fold(std::uint64_t seq, const asset_renamed& e);
  result<void> fold(std::uint64_t seq, const record_restated& e);
  result<void> fold(std::uint64_t seq, const asset_adopted& e);
  result<void> fold(std::uint64_t seq, const leftovers_ended& e);
  result<void> fold(std::uint64_t seq, const run_queued& e);
  result<void> fold(std::uint64_t seq, const run_dequeued& e);
  result<void> fold(std::uint64_t seq, const definition_recorded& e);
  result<void> fold(std::uint64_t seq, const trigger_changed& e);
  result<void> fold(std::uint64_t seq, const trigger_paused& e);
  result<void> fold(std::uint64_t seq, const trigger_resumed& e);
  result<void> fold(std::uint64_t seq, const event_taken& e);
  result<void> fold(std::uint64_t seq, const event_settled& e);
  result<void> fold(std::uint64_t seq, const ticks_missed& e);
  result<void> fold(std::uint64_t seq, const files_watched& e);
  result<void> fold(std::uint64_t seq, const cursor_moved& e);
  result<void> fold(std::uint64_t seq, const notice_taken& e);
  result<void> fold(std::uint64_t seq, const notice_settled& e);
  result<void> fold(std::uint64_t seq, const notices_read& e);
  result<void> fold(std::uint64_t seq, const key_used& e);
  result<void> fold(std::uint64_t seq, const keys_forgotten& e);
  result<void> fold(std::uint64_t seq, const changes_seen& e);
  result<void> fold(std::uint64_t seq, const clock_jumped& e);

  /// Reads it into trigger_; a broken rule if there is none.
  result<void> find_trigger(std::uint64_t seq, const std::string& name);
  /// The event in pending_ gets its fate.
  result<void> settle(std::uint64_t seq, std::uint64_t number, event_fate fate);
  /// Those events that a run was queued for, as far as they have no fate yet.
  result<void> settle_events_of(std::uint64_t seq, const run_queued& run, event_fate fate);
  /// Nothing happens where the name is empty, or of a trigger that is not known.
  template <class Change>
  result<void> change_trigger(const std::string& name, Change change);
  /// That a number may be given to a run that is new, and its request be understood.
  [[nodiscard]] result<void> check_new_run(std::uint64_t seq, run_number run, const run_request& request) const;
  template <class Change>
  result<void> change_run(run_number run, std::uint64_t seq, Change change);
  result<void> check_asset(asset_id asset) const;
  result<void> check_path(path_id path) const;
  /// That all ids in what was made were given out.
  result<void> check_ids(const materialized& made) const;
  [[nodiscard]] digest definition_of_last() const { return asset_.last ? asset_.last->definition : digest{}; }
  /// A record of an asset names another definition than before; all zero: none.
  [[nodiscard]] result<void> name_definition(const digest& before, const digest& after, std::uint32_t times = 1);
  [[nodiscard]] result<void> check_waits(std::uint64_t seq, const std::vector<recorded_wait>& waits) const;
  /// asset_ has another data version than before.
  void note_changed(std::uint64_t seq, run_number run, timestamp at);
  /// Who made the outputs of asset_.last, as far as the record says it.
  result<void> note_made(asset_id asset);

  projection_tables& tables_;
  asset_record asset_;
  run_record run_;
  run_queued queued_;
  open_attempt open_;
  made_record made_;
  definition_record definition_;
  trigger_record trigger_;
  event_taken pending_;
  watched_record watched_;
  notice_taken notice_;
};

} // namespace troupe_internal
