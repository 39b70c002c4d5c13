// Everything the journal can say, one struct an event. Knows nothing of bytes or storage: see event_codec.
//
// Rules: an event says what happened (past tense) and all that the fold needs; ids are the state's own (asset_id,
// path_id), given out by names_interned and paths_interned before their first use. Order of members = order on disk.
#pragma once

#include "base/digest.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"
#include "core/model/asset_definition.hpp"
#include "core/model/asset_status.hpp"
#include "core/model/materialization.hpp"
#include "core/model/notice.hpp"
#include "core/model/reason.hpp"
#include "core/model/resource_use.hpp"
#include "core/model/trigger_event.hpp"
#include "core/model/wait.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe_internal {

/// Assets of a pipeline get ids: first, first + 1, …; never reused. A name is "pipeline/asset" (neither part can hold a
/// "/").
struct names_interned {
  asset_id first;
  std::vector<std::string> names;
  /// Parallel to names, or empty: what an asset of a matrix with several variables is known by, whatever the order of
  /// its variables ("pipeline/asset[a=1,b=2]", sorted); "" where the name says it.
  std::vector<std::string> identities;
  friend bool operator==(const names_interned&, const names_interned&) = default;
};

/// Paths get ids: first, first + 1, …. A path is "pipeline/" + the path as the pipeline has it (relative to its folder,
/// or absolute).
struct paths_interned {
  path_id first;
  std::vector<std::string> paths;
  friend bool operator==(const paths_interned&, const paths_interned&) = default;
};

struct observed_file {
  path_id path;
  file_record record;
  friend bool operator==(const observed_file&, const observed_file&) = default;
};

/// Files were read (or found absent: kind absent): what their stat and content were. A `settled` stat may be trusted
/// next time.
struct files_observed {
  std::vector<observed_file> files;
  friend bool operator==(const files_observed&, const files_observed&) = default;
};

/// A set of asset ids, as sorted, disjoint, inclusive ranges: compact for the "all fresh" of big pipelines.
using asset_set = std::vector<std::pair<asset_id, asset_id>>;

/// What the user asked for; kept so that resume can repeat it.
struct run_request {
  std::vector<std::string> selection;
  std::vector<std::string> exclude;
  bool only = false;
  bool force = false;
  std::vector<std::pair<std::string, std::string>> params; ///< overrides, as given
  std::uint8_t error_strategy = 0;                         ///< troupe_internal::error_strategy
  std::uint8_t durability = 0;                             ///< troupe_internal::durability
  std::uint32_t workers = 0;
  std::string pipeline_file; ///< relative to the state's folder's parent where possible
  duration timeout{0};       ///< the run is ended so long after its start; 0: never
  friend bool operator==(const run_request&, const run_request&) = default;
};

/// Who asked for a run. Persisted: do not change the values.
enum class cause_kind : std::uint8_t {
  user = 0, ///< a person, or a client that speaks for one
  trigger = 1,
  program = 2, ///< the program that Troupe is a part of
  backfill = 3,
};

/// Why a run exists. A resumed run keeps its cause, and a run that continues another one takes that run's.
struct run_cause {
  cause_kind kind = cause_kind::user;
  std::string trigger;               ///< its name; empty for other kinds
  std::vector<std::uint64_t> events; ///< ids of the trigger's events that the run is for
  std::string by;                    ///< the user or the token that asked; empty: unspecified
  std::string key;                   ///< of kind program: a run that is asked for with the same key is this one
  /// The triggers whose runs have led to this one by changing assets, its own last; empty: it began outside.
  std::vector<std::string> chain{};
  friend bool operator==(const run_cause&, const run_cause&) = default;
};

/// When a queued run may start, besides its turn. Moments are of the wall clock: what a later process needs of them.
struct start_conditions {
  duration quiet{0};                   ///< debounce: when no event has joined it for so long; 0: no such condition
  std::optional<timestamp> latest;     ///< debounce: it waits for that no longer than until this moment
  std::string group;                   ///< debounce: what the events that join it have in common
  std::optional<timestamp> not_before; ///< jitter
  std::optional<timestamp> expires;    ///< if it has not started by then, it leaves the queue
  bool overlaps = false;               ///< other runs of its trigger do not hold it up
  bool unthrottled = false;            ///< nor does its trigger's throttle
  friend bool operator==(const start_conditions&, const start_conditions&) = default;
};

/// A run is to start when there is room for it. Its number and id are given out now. Once more for a run that is
/// queued: it has another priority, other params or another moment at which it expires, and nothing else has changed.
struct run_queued {
  run_number run;
  uuid id;
  timestamp at;
  std::string pipeline;
  run_request request;
  run_cause cause;
  std::int32_t priority = 0;
  run_number continues; ///< the run whose place it takes; 0: none
  start_conditions conditions{};
  friend bool operator==(const run_queued&, const run_queued&) = default;
};

/// Why a queued run never started. Persisted: do not change the values.
enum class dequeue_reason : std::uint8_t {
  cancelled = 0,
  continued = 1, ///< another run takes its place
  expired = 2,   ///< it was to start by a certain time
  removed = 3,   ///< its pipeline or its trigger is gone
};

/// A queued run leaves the queue without having started. One that starts leaves it by run_started.
struct run_dequeued {
  run_number run;
  timestamp at;
  dequeue_reason reason = dequeue_reason::cancelled;
  run_number continued_by; ///< reason continued: the run that takes its place
  friend bool operator==(const run_dequeued&, const run_dequeued&) = default;
};

/// A run exists. A queued run starts under the number and id that it has. Assets in `fresh` are final at once; those in
/// `waiting` are to be judged or run; both together are the run.
struct run_started {
  run_number run;
  uuid id;
  timestamp at;
  std::string pipeline;
  run_request request;
  asset_set fresh;
  asset_set waiting;
  std::vector<std::uint64_t> definitions; ///< of each waiting asset, in order of id: resume refuses if one has changed
  run_cause cause;
  bool served = false; ///< by an engine that stays up: its next start goes on with the run, if it did not end
  friend bool operator==(const run_started&, const run_started&) = default;
};

/// An ended or interrupted run goes on: what is not succeeded or fresh is waiting again; attempt numbers go on.
struct run_resumed {
  run_number run;
  timestamp at;
  asset_set reopened{}; ///< succeeded or fresh, and waiting again all the same: see core/run/reopening.hpp
  bool served = false;  ///< as in run_started
  friend bool operator==(const run_resumed&, const run_resumed&) = default;
};

/// Judged when ready, an asset needed no run (early cut-off, or files found equal).
struct asset_found_fresh {
  run_number run;
  asset_id asset;
  timestamp at;
  std::vector<recorded_wait> waits{}; ///< what it waited for before it was examined
  friend bool operator==(const asset_found_fresh&, const asset_found_fresh&) = default;
};

struct attempt_started {
  run_number run;
  asset_id asset;
  std::uint32_t attempt = 1;
  timestamp at;
  std::vector<reason> reasons;         ///< empty for attempts after the first of a run's segment
  std::vector<path_id> absent_outputs; ///< see asset_record
  std::vector<recorded_wait> waits{};  ///< what it waited for since the attempt before it, or since the run began
  friend bool operator==(const attempt_started&, const attempt_started&) = default;
};

/// The attempt's process exists: enough to find it again and never to take a stranger for it.
struct attempt_spawned {
  run_number run;
  asset_id asset;
  std::uint32_t attempt = 1;
  std::int32_t process_group = 0; ///< = pid of its leader
  std::uint64_t start_ticks = 0;  ///< clock ticks since boot, as in /proc/PID/stat field 22
  friend bool operator==(const attempt_spawned&, const attempt_spawned&) = default;
};

/// How an attempt ended. Persisted: do not change the values.
enum class outcome_kind : std::uint8_t {
  succeeded = 0,
  exited = 1,    ///< exit status not 0: detail in exit_code
  signalled = 2, ///< ended by a signal it did not get from us
  timed_out = 3,
  not_started = 4,    ///< the command could not be started, or an input that nothing makes is missing
  output_missing = 5, ///< exit status 0, but a declared output is not there
  bad_result = 6,     ///< malformed TROUPE_RESULT
  cancelled = 7,      ///< ended because the run was stopped
  interrupted = 8,    ///< its supervisor died; recorded by the next writer
  internal = 9,       ///< the executor itself failed: what it could not do is in the message
  outdated = 10,      ///< it ended well, but an input that it discovered was made again meanwhile: it is made once more
  failed = 11,        ///< a function said so, or threw: why is in the message
  permanent = 12,     ///< likewise, and it is not made again
  skipped = 13,       ///< its exit status is one of "skip_exit_codes", and it wrote no output
};

/// Whether an attempt that ended so has failed: it neither succeeded nor was it ended for the run's sake.
[[nodiscard]] constexpr bool is_failure(outcome_kind outcome) {
  return outcome != outcome_kind::succeeded && outcome != outcome_kind::cancelled &&
         outcome != outcome_kind::interrupted && outcome != outcome_kind::outdated && outcome != outcome_kind::skipped;
}

/// The changes from one sorted list to the next, by key: what a materialization differs in from the one before it.
struct materialized {
  duration took{};
  bool full = false; ///< true: nothing carried over from the previous materialization; the lists are complete
  std::optional<digest> command;
  std::optional<std::string> version;
  std::optional<std::vector<named_digest>> env;
  std::optional<std::vector<named_digest>> params;
  std::vector<file_version> inputs; ///< new or changed
  std::vector<path_id> inputs_gone;
  std::vector<file_version> discovered;
  std::vector<path_id> discovered_gone;
  std::vector<upstream_version> upstreams;
  std::vector<asset_id> upstreams_gone;
  std::vector<file_version> outputs;
  std::vector<path_id> outputs_gone;
  std::optional<digest> data_version; ///< absent: unchanged
  std::optional<std::string> reported_version;
  std::optional<std::string> metadata;
  std::optional<timestamp> since; ///< never carried over
  std::optional<std::uint8_t> rule;
  std::optional<path_id> pipeline_file; ///< likewise
  std::optional<std::vector<std::string>> templates;
  bool adopted = false;
  std::optional<digest> definition; ///< absent: that of the materialization before
  std::optional<stored_value> value;
  friend bool operator==(const materialized&, const materialized&) = default;
};

/// Something the user should know of an attempt, whatever its outcome. `code` as in findings: "output_not_written".
struct attempt_warning {
  std::string code;
  std::string text;
  friend bool operator==(const attempt_warning&, const attempt_warning&) = default;
};

struct attempt_finished {
  run_number run;
  asset_id asset;
  std::uint32_t attempt = 1;
  timestamp at;
  outcome_kind outcome = outcome_kind::succeeded;
  std::int32_t exit_code = 0; ///< outcome exited
  std::int32_t signal = 0;    ///< outcome signalled
  std::string message;        ///< for people; empty on success
  bool has_log = false;
  std::optional<timestamp> retry_at; ///< another attempt follows, not before this
  std::optional<materialized> made;  ///< exactly when outcome is succeeded
  std::vector<attempt_warning> warnings;
  bool allowed = false; ///< it failed for good, and the pipeline allows that (allow_failure)
  /// Absent where unknown: the command was not started, or nobody was there to see its end.
  std::optional<resource_use> resources;
  friend bool operator==(const attempt_finished&, const attempt_finished&) = default;
};

/// Assets that reached a final status without a (further) attempt.
struct settled_asset {
  asset_id asset;
  asset_id because; ///< blocked: the asset that blocks; skipped: that was skipped; else itself
  friend bool operator==(const settled_asset&, const settled_asset&) = default;
};
struct assets_settled {
  run_number run;
  timestamp at;
  asset_status status = asset_status::blocked; ///< blocked, cancelled, skipped, or failed
  std::string message; ///< why, for failed without an attempt, and for blocked from outside the run
  std::vector<settled_asset> assets;
  bool allowed = false; ///< failed: the pipeline allows it; all of them
  friend bool operator==(const assets_settled&, const assets_settled&) = default;
};

/// The run is to stop: nothing more is started. Persisted: do not change the values.
enum class stop_cause : std::uint8_t {
  failure = 0,
  user = 1,
  signal = 2,
  timed_out = 3, ///< it took longer than its request allows
  shutdown = 4,  ///< its engine stops: attempts are interrupted, and what is not done is left open, to be resumed
};
struct run_stopping {
  run_number run;
  timestamp at;
  stop_cause cause = stop_cause::failure;
  friend bool operator==(const run_stopping&, const run_stopping&) = default;
};

using status_counts = std::array<std::uint32_t, asset_status_count>; ///< by asset_status

struct run_finished {
  run_number run;
  timestamp at;
  run_status status = run_status::succeeded; ///< succeeded, failed or cancelled
  status_counts counts{};
  std::string trigger{};     ///< "PIPELINE/NAME" of the trigger that caused it; empty: none did
  run_number continued_by{}; ///< it was left open, and this run takes its place; 0: none
  friend bool operator==(const run_finished&, const run_finished&) = default;
};

/// A writer took the state. boot_id tells process start times of different boots apart.
struct writer_opened {
  timestamp at;
  std::string boot_id;
  std::int32_t pid = 0;
  std::uint64_t pid_namespace = 0; ///< its inode, as /proc/self/ns/pid has it; 0: unknown
  bool process_one = false;        ///< it was process 1 of that namespace: when it ends, so does all in there
  friend bool operator==(const writer_opened&, const writer_opened&) = default;
};

/// The writer left in order: nothing of it can still be running.
struct writer_closed {
  timestamp at;
  friend bool operator==(const writer_closed&, const writer_closed&) = default;
};

/// An asset is shown under another name than before, or its identity became known.
struct asset_renamed {
  asset_id asset;
  std::string name;
  std::string identity; ///< see names_interned
  friend bool operator==(const asset_renamed&, const asset_renamed&) = default;
};

/// The record of a fresh asset is written by a newer rule, or with facts it lacked. Run, attempt and time stay.
struct record_restated {
  asset_id asset;
  materialized made;
  friend bool operator==(const record_restated&, const record_restated&) = default;
};

/// The user says that the outputs are as the asset would make them.
struct asset_adopted {
  asset_id asset;
  timestamp at;
  materialized made;
  friend bool operator==(const asset_adopted&, const asset_adopted&) = default;
};

/// By what a process was known for one that a dead supervisor had left. Persisted: do not change the values.
enum class leftover_proof : std::uint8_t {
  mark = 0,       ///< its environment names this state, and a supervisor that has ended
  descendant = 1, ///< it descends from such a process
  group = 2,      ///< it is in the group of such a process, which the journal has recorded
};

struct ended_process {
  std::int32_t pid = 0;
  std::string name; ///< the program's name, as in /proc/PID/comm
  leftover_proof why = leftover_proof::mark;
  friend bool operator==(const ended_process&, const ended_process&) = default;
};

/// A writer found what a dead one had left running, and ended it.
struct leftovers_ended {
  timestamp at;
  std::vector<ended_process> processes;
  friend bool operator==(const leftovers_ended&, const leftovers_ended&) = default;
};

/// What the assets are executed with from now on, unless an attempt names another definition. All of one declaration.
/// It comes before the first event of a run that uses it.
struct definition_recorded {
  asset_set assets;
  digest of; ///< digest_of(definition)
  asset_definition definition;
  friend bool operator==(const definition_recorded&, const definition_recorded&) = default;
};

/// The index in this variant decides the event's type on disk (see event_codec): only ever append.
using event =
    std::variant<names_interned, paths_interned, files_observed, run_started, run_resumed, asset_found_fresh,
                 attempt_started, attempt_spawned, attempt_finished, assets_settled, run_stopping, run_finished,
                 writer_opened, writer_closed, asset_renamed, record_restated, asset_adopted, leftovers_ended,
                 run_queued, run_dequeued, definition_recorded, trigger_changed, trigger_paused, trigger_resumed,
                 event_taken, event_settled, ticks_missed, key_used, keys_forgotten, changes_seen, clock_jumped,
                 files_watched, cursor_moved, notice_taken, notice_settled, notices_read>;

} // namespace troupe_internal
