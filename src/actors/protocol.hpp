// Every message and every handle of the actor system, one sentence each. Knows no behaviour.
//
//   supervisor ──begin──► assets without needs
//   asset ──claim──► supervisor ──examine_order──► asset ──examine_request──► executor ──examined──► asset
//   ──examined_report──► supervisor supervisor ──append_request{events, releases}──► journal ──grant──► asset
//   ──execute_request──► executor executor ──process_report──► asset ──► supervisor;   executor ──executed──► asset
//   ──outcome_report──► supervisor supervisor ──append_request──► journal ──settled──► asset ──upstream_completed──►
//   its dependents
#pragma once

#include "actors/caf.hpp"
#include "base/strong_id.hpp"
#include "core/model/asset_status.hpp"
#include "core/model/capacity.hpp"
#include "core/model/event.hpp"
#include "core/run/run_logic.hpp"
#include "ports/asset_executor.hpp"
#include "ports/process_executor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe_internal {

// ---- to an asset
// -------------------------------------------------------------------------------------------------------

/// The run begins: an asset that needs nothing claims at once.
struct run_begun {};
/// One upstream of this run is done, and its dependents may go on.
struct upstream_completed {
  asset_index upstream;
};
/// Find out whether you are fresh; this is what there is to know about your upstreams.
struct examine_order {
  upstream_view upstreams;
};
/// What the executor found.
struct examined {
  examination found;
};
/// You have a worker and your pools: make this attempt.
struct grant {
  std::uint32_t attempt = 0;
};
/// Your process exists.
struct process_report {
  std::uint32_t attempt = 0;
  process_spawned process;
};
/// How the attempt went.
struct executed {
  std::uint32_t attempt = 0;
  execution how;
};
/// Your status is final and in the journal: tell your dependents if they may go on, and end.
struct settled {
  asset_status status = asset_status::waiting;
  bool dependents_may_go_on = false;
};

using asset_handle =
    caf::typed_actor<caf::reacts_to<run_begun>, caf::reacts_to<upstream_completed>, caf::reacts_to<examine_order>,
                     caf::reacts_to<examined>, caf::reacts_to<grant>, caf::reacts_to<process_report>,
                     caf::reacts_to<executed>, caf::reacts_to<settled>>;

// ---- to the supervisor
// -------------------------------------------------------------------------------------------------

struct begin_run;
/// All I need is there.
struct claim {
  asset_index asset;
};
/// What the run may use from now on.
struct budget_offered {
  std::uint64_t number = 0;
  std::optional<capacity> budget; ///< none: everything
};
/// Earlier runs no longer keep the asset, which had claimed, from going on; and what they have made of it and of what
/// it needs.
struct hold_over {
  asset_index asset;
  std::vector<std::pair<asset_index, digest>> versions;
  std::optional<blocked_outside> blocked; ///< see asset_released
};
struct examined_report {
  asset_index asset;
  examination found;
};
struct spawned_report {
  asset_index asset;
  process_report process;
};
struct outcome_report {
  asset_index asset;
  executed outcome;
};
/// Whether what a held attempt discovered is as it was before the attempt.
struct discovered_report {
  asset_index asset;
  std::uint32_t attempt = 0;
  bool as_before = false;
};
/// A time the logic asked to be woken at has come.
struct tick {
  std::uint64_t number = 0; ///< of wake_at
};
/// The user, a signal or another process wants the run to stop.
struct stop_order {
  stop_cause cause = stop_cause::user;
  bool at_once = false;
};
/// Files are settled: the run's end can be recorded.
struct files_settled {};
/// All that was appended is on disk.
struct run_durable {};
/// The journal takes no more: nothing that happens from now on is recorded.
struct journal_failed {
  std::string message;
};
/// An actor met an exception or a message it cannot have: a bug.
struct actor_broken {
  std::string message;
};

using supervisor_handle =
    caf::typed_actor<caf::reacts_to<begin_run>, caf::reacts_to<claim>, caf::reacts_to<hold_over>,
                     caf::reacts_to<budget_offered>, caf::reacts_to<examined_report>, caf::reacts_to<spawned_report>,
                     caf::reacts_to<outcome_report>, caf::reacts_to<discovered_report>, caf::reacts_to<tick>,
                     caf::reacts_to<stop_order>, caf::reacts_to<files_settled>, caf::reacts_to<run_durable>,
                     caf::reacts_to<journal_failed>, caf::reacts_to<actor_broken>>;

// ---- to the executor
// ---------------------------------------------------------------------------------------------------

/// Examine the asset and send it `examined`.
struct examine_request {
  asset_index asset;
  upstream_view upstreams;
};
/// Make the attempt and send the asset `process_report` and `executed`.
struct execute_request {
  asset_index asset;
  std::uint32_t attempt = 0;
};
/// Check what the attempt discovered and send the supervisor `discovered_report`.
struct check_request {
  asset_index asset;
  std::uint32_t attempt = 0;
};
/// End every attempt.
struct end_all_request {
  urgency how = urgency::graceful;
};
/// Read again what was read too soon, then tell the supervisor files_settled.
struct settle_request {};

using executor_handle =
    caf::typed_actor<caf::reacts_to<examine_request>, caf::reacts_to<execute_request>, caf::reacts_to<check_request>,
                     caf::reacts_to<end_all_request>, caf::reacts_to<settle_request>>;

// ---- to the journal
// ----------------------------------------------------------------------------------------------------

/// A message that may be sent once the events before it are in the journal's order (or on disk, where that is asked).
struct release {
  asset_handle to;
  std::variant<grant, settled> what;
};
/// Append these events, then let the releases go.
struct append_request {
  std::vector<event> events;
  std::vector<release> releases;
  bool strict = false;    ///< releases only once the events are on disk
  bool last = false;      ///< tell the supervisor run_durable once they are
  std::string checkpoint; ///< the run's encoded state after these events; empty: none is due
};
/// The commit thread has brought an append_request to disk (or could not).
struct committed {
  std::uint64_t ticket = 0;
  bool ok = false;
  std::string message;
};

using journal_handle = caf::typed_actor<caf::reacts_to<append_request>, caf::reacts_to<committed>>;

/// Everything is spawned: let the run begin.
struct begin_run {
  std::vector<asset_handle> assets; ///< by asset_index; empty handles where an asset has no actor
  executor_handle executor;
  journal_handle journal;
};

} // namespace troupe_internal

TROUPE_LOCAL_MESSAGE(troupe_internal::run_begun)
TROUPE_LOCAL_MESSAGE(troupe_internal::upstream_completed)
TROUPE_LOCAL_MESSAGE(troupe_internal::examine_order)
TROUPE_LOCAL_MESSAGE(troupe_internal::examined)
TROUPE_LOCAL_MESSAGE(troupe_internal::grant)
TROUPE_LOCAL_MESSAGE(troupe_internal::process_report)
TROUPE_LOCAL_MESSAGE(troupe_internal::executed)
TROUPE_LOCAL_MESSAGE(troupe_internal::settled)
TROUPE_LOCAL_MESSAGE(troupe_internal::begin_run)
TROUPE_LOCAL_MESSAGE(troupe_internal::claim)
TROUPE_LOCAL_MESSAGE(troupe_internal::hold_over)
TROUPE_LOCAL_MESSAGE(troupe_internal::budget_offered)
TROUPE_LOCAL_MESSAGE(troupe_internal::examined_report)
TROUPE_LOCAL_MESSAGE(troupe_internal::spawned_report)
TROUPE_LOCAL_MESSAGE(troupe_internal::outcome_report)
TROUPE_LOCAL_MESSAGE(troupe_internal::discovered_report)
TROUPE_LOCAL_MESSAGE(troupe_internal::tick)
TROUPE_LOCAL_MESSAGE(troupe_internal::stop_order)
TROUPE_LOCAL_MESSAGE(troupe_internal::files_settled)
TROUPE_LOCAL_MESSAGE(troupe_internal::run_durable)
TROUPE_LOCAL_MESSAGE(troupe_internal::journal_failed)
TROUPE_LOCAL_MESSAGE(troupe_internal::actor_broken)
TROUPE_LOCAL_MESSAGE(troupe_internal::examine_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::execute_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::check_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::end_all_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::settle_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::append_request)
TROUPE_LOCAL_MESSAGE(troupe_internal::committed)
