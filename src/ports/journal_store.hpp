// The port to durable storage of events and their projections. Knows nothing of LMDB or of who appends.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"
#include "core/model/retention.hpp"
#include "core/model/run_record.hpp"
#include "core/model/state_info.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The state of an open run, encoded, as of an event: replay starts there.
struct run_checkpoint {
  std::uint64_t seq = 0; ///< all events up to and including this one are in it
  std::string bytes;
};

/// A consistent view of the state at the moment it was taken; short-lived (it keeps old pages alive). One thread at a
/// time. Visitors return false to stop. All fail with state_unusable for damage, naming record and finding: counts fit
/// the tables, each record its key; whether events can follow each other is for who folds them.
class journal_snapshot {
public:
  virtual ~journal_snapshot() = default;
  /// Lets go of memory that only saves reading again; views handed out stay valid. For who reads much and keeps little.
  virtual void release_memory() const {}
  /// The same version once more, for another thread; null where it is not to be had.
  [[nodiscard]] virtual std::unique_ptr<const journal_snapshot> twin() const { return nullptr; }
  [[nodiscard]] virtual const state_info& info() const = 0;
  [[nodiscard]] virtual result<void>
  visit_events(std::uint64_t first_seq, const std::function<bool(std::uint64_t seq, const event&)>& visit) const = 0;
  /// In order of id. Views live as long as the snapshot.
  [[nodiscard]] virtual result<void>
  visit_asset_names(const std::function<bool(asset_id, std::string_view)>& visit) const = 0;
  /// Of the assets that have one (see names_interned), in order of id.
  [[nodiscard]] virtual result<void>
  visit_identities(const std::function<bool(asset_id, std::string_view)>& visit) const = 0;
  /// Who made the file at a path last; false if nobody is known (then `out` is reset).
  [[nodiscard]] virtual result<bool> read_made(path_id path, made_record& out) const = 0;
  /// Every path ever made of which the maker is known, in order of id; only those that `wanted` says are read.
  [[nodiscard]] virtual result<void>
  visit_made(const std::function<bool(path_id)>& wanted,
             const std::function<bool(path_id, const made_record&)>& visit) const = 0;
  [[nodiscard]] virtual result<void> visit_paths(const std::function<bool(path_id, std::string_view)>& visit) const = 0;
  /// False if nothing is recorded (then `out` is reset). `out` is reused: its vectors keep their memory.
  [[nodiscard]] virtual result<bool> read_asset(asset_id asset, asset_record& out) const = 0;
  /// The same as of the last event that was dropped: what the events that are kept begin with.
  [[nodiscard]] virtual result<bool> read_base_asset(asset_id asset, asset_record& out) const = 0;
  /// The texts of a definition that a record of an asset names, now or in the base; false if none does, or it has none
  /// (then `out` is reset).
  [[nodiscard]] virtual result<bool> read_definition(const digest& of, asset_definition& out) const = 0;
  /// All assets of which something is recorded, in order of id: several times faster than read_asset for each. The
  /// record is valid during the call only.
  [[nodiscard]] virtual result<void>
  visit_assets(const std::function<bool(asset_id, const asset_record&)>& visit) const = 0;
  [[nodiscard]] virtual result<void>
  visit_files(const std::function<bool(path_id, const file_record&)>& visit) const = 0;
  [[nodiscard]] virtual result<std::optional<run_record>> read_run(run_number run) const = 0;
  [[nodiscard]] virtual result<void>
  visit_runs_newest_first(const std::function<bool(const run_record&)>& visit) const = 0;
  /// Runs that are queued and have not started, in order of number.
  [[nodiscard]] virtual result<void> visit_queue(const std::function<bool(const run_queued&)>& visit) const = 0;
  /// Triggers that are, or were, known, in no order.
  [[nodiscard]] virtual result<void> visit_triggers(const std::function<bool(const trigger_record&)>& visit) const = 0;
  /// What is remembered of a trigger; false: nothing.
  [[nodiscard]] virtual result<bool> read_trigger(const std::string& name, trigger_record& out) const = 0;
  /// Events of triggers without a fate, in the order in which they came.
  [[nodiscard]] virtual result<void> visit_pending(const std::function<bool(const event_taken&)>& visit) const = 0;
  /// Whether a trigger has seen this key; else `out` is reset.
  [[nodiscard]] virtual result<bool> read_seen_key(const std::string& trigger, const std::string& key,
                                                   seen_key& out) const = 0;
  [[nodiscard]] virtual result<std::vector<open_attempt>> open_attempts() const = 0;
  [[nodiscard]] virtual result<std::optional<run_checkpoint>> read_checkpoint(run_number run) const = 0;
  /// Errors for what a reader finds impossible in what he was given: in an event, and in what is kept of a run.
  [[nodiscard]] virtual error damaged_event(std::uint64_t seq, const std::string& finding) const = 0;
  [[nodiscard]] virtual error damaged_run(run_number run, const std::string& finding) const = 0;
};

/// What one retention step did.
struct retention_step {
  std::uint64_t events_dropped = 0;
  std::vector<run_number> runs_dropped; ///< their logs may be deleted now
  bool more = false;                    ///< another step would drop more
};

/// The single writer's side. append, checkpoint and retain come from one thread at a time; snapshots from any.
class journal_store {
public:
  virtual ~journal_store() = default;

  /// Appends in order, folds into the projections, in one transaction; durable on return unless durability is none.
  /// Returns the sequence number of the last event. After a failure nothing of it is there, and every further append
  /// fails.
  [[nodiscard]] virtual result<std::uint64_t> append(std::span<const event> events) = 0;
  /// Keeps the state of an open run as of its event `seq`; replaced by the next, gone when the run ends.
  [[nodiscard]] virtual result<void> write_checkpoint(run_number run, const run_checkpoint& checkpoint) = 0;
  /// Folds the oldest events, at most `max_events`, into the base and drops them, as long as they belong to no run that
  /// is kept, or are beyond the rule's limits (core/model/retention.hpp). One transaction.
  [[nodiscard]] virtual result<retention_step> retain(const retention_rule& rule, std::uint64_t max_events) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<journal_snapshot>> snapshot() const = 0;
};

} // namespace troupe_internal
