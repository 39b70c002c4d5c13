// All judgement of a run: (state, input, now) -> events to record and effects to carry out. Pure: no clock, no actors,
// no disk. Knows nothing of freshness (that is found out by who examines) or of processes.
//
// How it is used: feed it one input at a time; hand its events to the journal in order; carry out its effects only
// after that. It has applied the events to its own state already. Every input may come late or twice: what no longer
// fits is ignored, except a claim that the state refutes, which is a bug and becomes the effect internal_error.
#pragma once

#include "core/model/capacity.hpp"
#include "core/model/event.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/run/run_state.hpp"
#include "core/run/wait_ledger.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace troupe_internal {

/// What the logic needs to know of the pipeline and the run's options.
struct run_policy {
  std::uint32_t workers = 1;
  troupe_internal::error_strategy error_strategy = troupe_internal::error_strategy::fail_fast;
  /// By asset_index: expected remaining path, for priority among ready ones.
  std::vector<duration> remaining;
  /// Other runs share workers and pools: this run starts attempts only when a budget comes (budget_changed). A run that
  /// begins while others are live begins so.
  bool limited = false;
};

/// Inputs.
struct asset_claimed {
  asset_index asset;
  bool held = false; ///< it waits for another run (core/schedule/holds.hpp): asset_released follows
  run_number by{};   ///< held: for which; 0: not for a run, but until it has been read what others have made
};
/// An asset of the run that an asset outside the run blocks.
struct blocked_outside {
  asset_index asset;
  asset_index because;
  std::string message{}; ///< why, if `because` was made before; empty: it was never materialized
};
/// A held asset waits for no other run any more: it is ready, and is examined now, or once more.
struct asset_released {
  asset_index asset;
  /// What another run has left of an asset outside this one is of no use: if the asset is not fresh, it is blocked.
  std::optional<blocked_outside> blocked{};
};
/// Examined, and nothing made it stale.
struct examined_fresh {
  asset_index asset;
};
/// Examined: it is to run, for these reasons.
struct examined_stale {
  asset_index asset;
  std::vector<reason> reasons;
  std::vector<path_id> absent_outputs; ///< to be recorded with the attempt
  bool held = false;                   ///< before it is executed it waits for another run: asset_released follows
  run_number by{};                     ///< held: for which, as above
};
/// Examined, and it cannot be run (an input is missing, …).
struct examined_impossible {
  asset_index asset;
  std::string message;
};
struct process_appeared {
  asset_index asset;
  std::uint32_t attempt = 0;
  std::int32_t process_group = 0;
  std::uint64_t start_ticks = 0;
};
struct attempt_ended {
  asset_index asset;
  std::uint32_t attempt = 0;
  outcome_kind outcome = outcome_kind::succeeded;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string message;
  bool has_log = false;
  std::optional<materialized> made;
  std::uint64_t random_bits = 0;   ///< for jitter
  std::vector<asset_index> makers; ///< on success: other assets that make inputs which the attempt discovered
  bool made_before = false;        ///< skipped: what was made before is of use
  std::vector<attempt_warning> warnings;
  std::optional<resource_use> resources;
};
/// The answer to check_discovered.
struct discovered_checked {
  asset_index asset;
  std::uint32_t attempt = 0;
  bool as_before = false;
};
/// The timer that wake_at asked for under this number has gone off; any other is late and ignored.
struct time_passed {
  std::uint64_t number = 0;
};
struct stop_requested {
  stop_cause cause = stop_cause::user;
  bool at_once = false;
};
/// Workers and pools that the run may use from now on, what it uses already included. It starts what fits at once and
/// gives the rest back; a budget below what is in use ends nothing. A number that is not above that of the last one is
/// late and ignored.
struct budget_changed {
  std::uint64_t number = 0;
  std::optional<capacity> budget; ///< none: everything that the policy and the pipeline allow, as without budgets
};
using run_input =
    std::variant<asset_claimed, examined_fresh, examined_stale, examined_impossible, process_appeared, attempt_ended,
                 discovered_checked, time_passed, stop_requested, budget_changed, asset_released>;

/// Effects.
struct examine_asset {
  asset_index asset;
};
struct grant_attempt {
  asset_index asset;
  std::uint32_t attempt = 0;
};
/// The asset is final: its actor tells its dependents (only where it is succeeded, fresh, or failed and allowed to) and
/// ends.
struct announce_settled {
  asset_index asset;
  asset_status status = asset_status::waiting;
  asset_index because;
  std::string message; ///< why it failed without an attempt
};
/// A success is held (see run_logic_held.cpp), and all that it waited for is settled: find out whether the inputs that
/// the attempt discovered are as they were before it, and answer with discovered_checked.
struct check_discovered {
  asset_index asset;
  std::uint32_t attempt = 0;
};
/// Something that people should know, and that changes nothing.
struct tell_warning {
  asset_index asset;
  attempt_warning what;
};
struct end_attempts {
  bool at_once = false;
};
/// Feed time_passed with this number at this time. Only the newest one counts: there is never more than one to wait
/// for.
struct wake_at {
  timestamp when;
  std::uint64_t number = 0;
};
/// What the run uses or wants is no longer what it said last. Only while its budget is limited.
struct demand_changed {
  run_demand demand;
};
struct run_is_over {
  run_status status = run_status::succeeded; ///< interrupted: it is left open, and its last events are no end
};
struct internal_error {
  std::string message;
};
using run_effect = std::variant<examine_asset, grant_attempt, announce_settled, check_discovered, tell_warning,
                                end_attempts, wake_at, demand_changed, run_is_over, internal_error>;

struct decision {
  std::vector<event> events;
  std::vector<run_effect> effects;
  /// Some event is of an asset that asks for strict durability: effects only once all is on disk.
  bool strict = false;
};

/// One run's logic. One thread at a time.
class run_logic {
public:
  /// `ids` maps asset_index to the state's id; `state` must have been started and is not finished.
  run_logic(const pipeline& p, const asset_graph& graph, run_policy policy, std::vector<asset_id> ids, run_state state);

  [[nodiscard]] decision decide(const run_input& input, timestamp now);
  /// To be called once, before any input: settles what can be at once (outside what was never materialized, an empty
  /// run, …). `blocked`: assets of the run that cannot use what an asset outside the run has left.
  [[nodiscard]] decision begin(std::span<const blocked_outside> blocked, timestamp now);

  [[nodiscard]] const run_state& state() const { return state_; }
  [[nodiscard]] asset_status status(asset_index asset) const;
  [[nodiscard]] bool in_run(asset_index asset) const { return position_[asset.value] != outside; }
  /// The asset of a member's id.
  [[nodiscard]] asset_index index_of(asset_id id) const { return asset_index(index_[*state_.position(id)]); }
  /// Final, and dependents may go on.
  [[nodiscard]] bool satisfied(asset_index asset) const;
  /// Whether this attempt is the asset's, and has not ended yet.
  [[nodiscard]] bool runs(asset_index asset, std::uint32_t attempt) const {
    return in_run(asset) && at(asset).open && at(asset).attempts == attempt && held(asset) == nullptr;
  }
  /// The end of the asset's attempt if it is held, else null.
  [[nodiscard]] const attempt_ended* held(asset_index asset) const {
    const auto found = held_.empty() || !in_run(asset) ? held_.end() : held_.find(position_[asset.value]);
    return found == held_.end() ? nullptr : &found->second.ended;
  }
  /// What the asset needs, in the run or not.
  [[nodiscard]] std::span<const asset_index> upstream(asset_index asset) const { return graph_.upstream(asset); }
  /// How many assets it needs that are in the run and not yet satisfied.
  [[nodiscard]] std::uint32_t needs(asset_index asset) const;

private:
  static constexpr std::uint32_t outside = 0xFFFFFFFFU;
  /// What is going on with an asset between its claim and its attempt; volatile, not part of the run's history.
  enum class phase : std::uint8_t {
    idle,     ///< nothing
    ready,    ///< claimed, queued to be examined
    looking,  ///< being examined ahead of its turn
    reserved, ///< being examined, its slot held
    stale,    ///< examined, queued to start
    held,     ///< waits for another run; takes nothing, and the others do not wait for its turn
  };

  struct queued {
    std::int32_t priority; ///< the highest of its own and of those that need it
    duration remaining;
    std::uint32_t asset;
    /// Less urgent: lower priority, shorter remaining path, later declaration.
    bool operator<(const queued& other) const;
  };
  /// By the pools they take, one line for each need: a full pool hides only those that need it.
  struct ready_line : std::priority_queue<queued> {
    /// The most urgent ones, at most so many, in order.
    [[nodiscard]] std::vector<queued> first(std::size_t most) const;
  };
  using ready_queue = std::map<pool_need, ready_line>;

  void record(decision& d, event e);
  void on(decision& d, const asset_claimed& in, timestamp now);
  void on(decision& d, const examined_fresh& in, timestamp now);
  void on(decision& d, const examined_stale& in, timestamp now);
  void on(decision& d, const examined_impossible& in, timestamp now);
  void on(decision& d, const process_appeared& in, timestamp now);
  void on(decision& d, const attempt_ended& in, timestamp now);
  void on(decision& d, const discovered_checked& in, timestamp now);
  void on(decision& d, const time_passed& in, timestamp now);
  void on(decision& d, const stop_requested& in, timestamp now);
  void on(decision& d, const budget_changed& in, timestamp now);
  void on(decision& d, const asset_released& in, timestamp now);
  void admit(decision& d, timestamp now);
  void examine(decision& d, asset_index asset, phase how);
  void start(decision& d, asset_index asset, timestamp now);
  void leave_phase(asset_index asset);
  void put_in(ready_queue& queue, asset_index asset);
  [[nodiscard]] queued urgency_of(asset_index asset) const;
  /// One that might be admitted: the first of a queue's line, or (no queue) one that is being looked at.
  struct candidate {
    queued who;
    ready_queue* from;
    ready_queue::iterator line;
  };
  template <class Visit>
  void visit_candidates(Visit visit) {
    for (auto* queue : {&stale_, &ready_})
      for (auto line = queue->begin(); line != queue->end(); ++line)
        visit(candidate{line->second.top(), queue, line});
    for (const auto& one : looking_)
      visit(candidate{one, nullptr, {}});
  }
  [[nodiscard]] std::optional<candidate> next_to_admit();
  static asset_index pop(ready_queue& queue, ready_queue::iterator line);
  void inherit_priorities();
  void settled(decision& d, asset_index asset, asset_status status, asset_index because, std::string message = {});
  void after_failure(decision& d, asset_index asset, timestamp now);
  void block_downstream(decision& d, asset_index from, asset_index because, timestamp now,
                        asset_status as = asset_status::blocked);
  void stop(decision& d, stop_cause cause, timestamp now);
  void conclude(decision& d, const attempt_ended& in, timestamp now);
  // in run_logic_budget.cpp
  [[nodiscard]] capacity used() const;
  [[nodiscard]] std::optional<candidate> most_urgent_candidate();
  [[nodiscard]] std::optional<candidate> next_within_budget();
  [[nodiscard]] std::vector<capacity> wants();
  void report_demand(decision& d);
  void block(decision& d, const blocked_outside& blocked, timestamp now);
  /// It is not fresh: whether something outside the run blocks it. Then it is settled.
  [[nodiscard]] bool block_if_due(decision& d, asset_index asset, timestamp now);
  // in run_logic_held.cpp
  [[nodiscard]] bool hold(decision& d, const attempt_ended& in);
  void make_once_more(decision& d, const attempt_ended& in, timestamp now);
  void no_longer_awaited(decision& d);
  [[nodiscard]] bool may_still_write(asset_index maker) const;
  [[nodiscard]] bool waits_for(asset_index from, asset_index to) const;
  void expect_claim(asset_index asset);
  void wind_up(decision& d, timestamp now);
  [[nodiscard]] bool shuts_down() const { return state_.stopping() == stop_cause::shutdown; }
  void settle_rest(decision& d, timestamp now);
  void arm_timer(decision& d);
  // in run_logic_waits.cpp
  /// It is ready: its wait for a worker begins.
  void enqueue(ready_queue& queue, asset_index asset);
  void note_pools();
  [[nodiscard]] std::optional<std::size_t> pool_without_room(const pool_need& need,
                                                             const asset_settings* most_urgent) const;
  /// Whether the pools have room for it, beside what is kept free for `kept_for` if that is not null.
  [[nodiscard]] bool pools_allow(const asset_settings& s, const asset_settings* kept_for) const;
  void take_pools(const asset_settings& s);
  void return_pools(const asset_settings& s);
  [[nodiscard]] const asset_in_run& at(asset_index asset) const { return state_.at(position_[asset.value]); }

  /// A success that is not recorded yet: nothing of it runs, so it takes no worker and no pool.
  struct held_success {
    attempt_ended ended;
    std::vector<asset_index> awaited; ///< makers that may still write what it discovered
    bool checking = false;            ///< check_discovered was asked for
  };

  const pipeline& p_;
  const asset_graph& graph_;
  run_policy policy_;
  std::vector<asset_id> ids_;
  run_state state_;
  std::vector<std::uint32_t> position_;      // by asset_index: position in state_, or outside
  std::vector<std::uint32_t> index_;         // by position: asset_index
  std::vector<phase> phase_;                 // by position
  std::vector<std::uint32_t> missing_;       // by position: upstreams in the run that are not satisfied
  std::vector<std::int32_t> priority_;       // by position: the highest of its own and of those that need it
  std::set<std::uint32_t> skipped_usable_;   // positions of those that were skipped, and were made before
  std::vector<std::vector<reason>> reasons_; // by position: why the next attempt is made
  std::map<std::uint32_t, std::vector<path_id>>
      absent_outputs_; // by position: of the next attempt, where there are any
  ready_queue ready_;  // phase ready
  ready_queue stale_;  // phase stale
  std::size_t stale_count_ = 0;
  std::vector<queued> looking_; // in phase looking: no more than there are workers
  std::uint32_t reserved_ = 0;  // in phase reserved
  std::uint32_t claims_due_ =
      0; // ready by the state, their actors' claims still on the way: nobody is admitted past them
  std::vector<bool> claim_due_;                      // by position
  std::map<std::uint32_t, blocked_outside> outside_; // by position: what blocks it if it is not fresh
  std::vector<std::uint32_t> blocked_by_;            // by position: asset_index of who blocks it
  std::map<std::string, std::uint32_t, std::less<>> pool_used_;
  std::map<timestamp, std::vector<asset_index>> retries_;
  std::optional<timestamp> armed_;             // the timer that is waited for
  std::uint64_t timers_ = 0;                   // its number
  std::map<std::uint32_t, held_success> held_; // by position
  std::vector<std::uint32_t> started_at_;      // by position: the moment its last attempt started, as moments_ counts
  std::vector<std::uint32_t> settled_at_;      // by position: likewise; 0: before this segment, or not yet
  std::uint32_t moments_ = 0;
  std::uint64_t obeys_ = 0;            // the number of the last budget
  std::optional<capacity> budget_;     // limited: while a budget is being used; what is left of it goes back at once
  std::optional<run_demand> reported_; // limited: the last demand_changed
  wait_ledger waits_;
  timestamp now_;          // of the input that is being judged
  bool left_open_ = false; // its engine stops, and not all of it is done: whoever resumes it has another logic
};

} // namespace troupe_internal
