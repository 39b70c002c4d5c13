// The engine: one process's writer of one state, and all runs that live in it. It knows no policy of a run.
#pragma once

#include "adapters/process/process_executor.hpp"
#include "adapters/system/system_clock.hpp"
#include "base/result.hpp"
#include "engine/commit_bell.hpp"
#include "engine/control_port.hpp"
#include "engine/control_server.hpp"
#include "engine/function_room.hpp"
#include "engine/live_run.hpp"
#include "engine/project.hpp"
#include "engine/state_log.hpp"
#include "engine/state_names.hpp"
#include "engine/state_writer.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal {

/// How an engine is opened.
struct engine_options {
  std::string folder; ///< the state's
  state_opening opening;
  /// One run is going to be submitted: its end closes the journal too, in the same transaction.
  bool one_run = false;
  /// For an engine that stays up. None: as many runs are kept as pipelines say, however long it takes.
  std::optional<history_bounds> history{};
  /// Whoever opens it listens at the control socket and to the stop request himself.
  bool serves = false;
  /// What all of its runs may use together; none: as much as the run that may use most.
  std::optional<shared_room> room{};
  /// Called for each run that has ended and is to be waited for: on any thread, perhaps before submit() returns. It may
  /// not call the engine.
  std::function<void(run_number)> ended{};
  /// Called after events got on disk, by the thread that commits. It may not call the engine.
  std::function<void()> committed{};
  /// For functions of the host. None: no pipeline has any.
  std::optional<function_options> functions{};
  process_executor_options processes{};
};

/// How a run is admitted.
struct run_admission {
  /// It was queued: it starts under the number and the id that it has. Null: it gets new ones.
  const run_queued* queued = nullptr;
  std::vector<event_taken> events{}; ///< of triggers, that it is for
  /// Called when its number is known, before anything of it is recorded, and before its end. It may not call the
  /// engine.
  std::function<void(run_number)> numbered{};
};

/// Holds the state's lock as long as it lives. What the runs share is made when the first one executes something, and
/// lives as long as the engine: one loop, one actor system, one thread that commits, one pool of readers. Any thread,
/// but not from callbacks of a run.
class engine final : private control_port {
public:
  /// Opens the state for writing, and recovers it: see state_writer::open. `stop`, which outlives the engine, asks all
  /// of its runs to stop.
  [[nodiscard]] static result<std::unique_ptr<engine>> open(const engine_options& how, system_clock& time,
                                                            stop_request& stop);
  /// Runs that nobody has waited for are ended at once. The journal is closed in order, unless a run broke: what that
  /// one left is for the next start's recovery.
  ~engine() override;
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Plans a run on the calling thread, then lets it begin. `observer` outlives the run. Errors: of planning, and
  /// state_unusable where the system or the journal refuses what it needs; then there is no run.
  [[nodiscard]] result<run_number> submit(const project& on, const run_options& options, run_observer& observer,
                                          const run_admission& how = {});
  /// The same for a run that is to go on. `has_changed`, if not null, becomes true where definitions that still matter
  /// have changed: an error.
  [[nodiscard]] result<run_number> resume(const project& on, run_number number, run_observer& observer,
                                          bool* has_changed = nullptr, const resume_options& options = {});
  /// Waits for the end of a run that was submitted here, once for each; then nothing of it is left but its history.
  [[nodiscard]] result<run_result> wait(run_number number);
  /// Asks a run to stop; false if it does not live here.
  bool stop(run_number number, stop_cause cause, bool at_once);
  [[nodiscard]] std::vector<live_run_info> live();
  /// Asks all runs to stop, also those that come later.
  void stop_all(stop_cause cause, bool at_once);
  /// Asks a run to end, or the only one that is live: see control_port.
  [[nodiscard]] result<run_number> cancel(std::optional<run_number> run, bool at_once) override;

  // For who keeps a queue.
  /// Makes what all runs share. `workers`: how many threads read.
  [[nodiscard]] result<void> get_ready(std::uint32_t workers);
  /// Records that a run waits, durably: it gets its number and its id.
  /// What `before` makes of it comes before it, in the same transaction.
  [[nodiscard]] result<run_queued> enqueue(run_queued what,
                                           const std::function<std::vector<event>(const run_queued&)>& before = {});
  /// Lets `appends` append runs that wait, numbered from `next` on, and returns when it has: it says how many. No other
  /// run gets a number, begins or resumes meanwhile.
  void number_runs(const std::function<std::uint32_t(run_number next)>& appends);
  /// Appends in order; `durable` is called on the thread that commits. After get_ready().
  void append(std::vector<event> events, std::function<void(result<std::uint64_t>)> durable);
  /// Ends a run that an earlier engine left open, durably, as cancelled; `more` is appended with it. Errors:
  /// invalid_input where it lives, is being resumed, or has ended; not_found; state_unusable.
  [[nodiscard]] result<void> end_left_open(run_number run, std::vector<event> more = {});
  /// The same, and another run is queued in its place, in the same transaction.
  [[nodiscard]] result<run_queued> replace_left_open(run_number run, run_queued by);
  /// Records that this writer is here, durably, if nothing else has yet.
  [[nodiscard]] result<void> announce();
  /// Where commands run; null before get_ready().
  [[nodiscard]] process_executor* processes() { return processes_.get(); }
  /// Waits until all that was appended so far is on disk.
  [[nodiscard]] result<void> flush() { return log_->flush(); }
  /// How long what was appended has waited for the disk; 0: nothing waits.
  [[nodiscard]] duration commit_wait() { return log_->started() ? log_->commits().oldest_wait() : duration::zero(); }
  /// `then` is called by the loop that runs actors and commands, at its next turn; now, where nothing was made yet.
  void on_turn(std::function<void()> then);
  /// A snapshot in which all is that anybody has appended so far.
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> snapshot_of_now();
  /// What is on disk.
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> snapshot() { return writer_->store().snapshot(); }
  /// Who gives out ids of this state.
  [[nodiscard]] state_names& names() { return *names_; }
  /// Null: no pipeline has functions.
  [[nodiscard]] function_room* functions() { return functions_.get(); }
  [[nodiscard]] const state_dir::handle& dir() const { return writer_->dir(); }
  [[nodiscard]] const std::shared_ptr<const state_lock>& lock() const { return writer_->lock(); }

private:
  engine(std::unique_ptr<state_writer> writer, const engine_options& how, system_clock& time, stop_request& stop);

  class planner_here;
  class only_resumption;
  [[nodiscard]] result<std::unique_ptr<planning>> plan_a_run(const project& on, const scope_maker& scope_for,
                                                             const journal_snapshot& snapshot, bool keep_all,
                                                             const reading_limit& limit);
  /// A run in which everything is fresh: recorded in one transaction, without actors.
  [[nodiscard]] result<run_number> record_fresh(prepared_run made, const run_started& started);
  /// Its first events: names, files, and the definitions of the assets that wait.
  [[nodiscard]] result<void> define_for_run(prepared_run& made, std::vector<asset_index> waiting);
  /// Planning was broken off: what was read is kept, and there is no run.
  [[nodiscard]] error stopped_before_it_began(planning& plan);
  /// A broken run left attempts open, and its processes have ended: records that they were interrupted.
  [[nodiscard]] result<void> close_attempts_of(run_number run);
  /// What all runs share, made once. Throws std::system_error.
  [[nodiscard]] result<void> start_up(std::uint32_t workers);
  [[nodiscard]] result<run_number> begin(prepared_run made);
  [[nodiscard]] result<run_number> begin_what_waits(prepared_run made);
  /// The file TROUPE_EVENT.
  [[nodiscard]] result<void> write_events(run_number run, const std::vector<event_taken>& events);
  // Where actors run.
  void join(live_run& run);
  void leave(const live_run& run);
  [[nodiscard]] bool lives_anyone();
  /// Refuses a pipeline that makes a file which another living one makes, or that has the name of another. Else: what
  /// it shares with living ones.
  [[nodiscard]] result<foreign_files> fits_beside_living(const planning& plan);

  // What the control socket asks.
  [[nodiscard]] std::vector<live_run_info> list() override { return live(); }
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> history() override { return snapshot(); }
  void when_committed(std::function<void()> wake) override { bell_.connect(std::move(wake)); }
  [[nodiscard]] result<void> when_ended(run_number run, std::function<void(run_status)> then) override;
  /// The run that is meant, where it lives; mutex_ is held.
  [[nodiscard]] result<run_number> which_lives(std::optional<run_number> run) const;
  /// Who waits for the end of a run hears of it. Where actors run.
  void tell_of_end(const live_run& run);
  [[nodiscard]] std::vector<event> closing() const;
  /// The events that end a run which is left open.
  [[nodiscard]] result<std::vector<event>> end_of(run_number run, run_number continued_by);
  /// Does it where actors run, and waits for it.
  void on_loop(const std::function<void()>& work);
  /// Those of a pipeline whose records others have changed since the mark, or may be going to.
  [[nodiscard]] std::vector<asset_index> touched_since(std::uint64_t mark, const planning& plan,
                                                       const foreign_files& foreign);
  /// A run has appended something: see live_run::history_watcher.
  void note(run_number run, const std::vector<asset_id>& changed, std::vector<asset_id> settled);

  std::unique_ptr<state_writer> writer_;
  system_clock& time_;
  stop_request& stop_;
  uuid state_id_;
  std::shared_ptr<state_names> names_;
  std::uint32_t last_run_ = 0; ///< guarded by admission_
  const bool one_run_;
  const bool serves_;
  const std::function<void(run_number)> ended_;
  const std::optional<history_bounds> history_;
  const std::optional<shared_room> room_for_all_;
  const process_executor_options how_processes_;
  std::atomic<bool> recovered_; ///< and nobody has planned since
  std::mutex admission_;        ///< one run begins at a time

  commit_bell bell_;
  std::unique_ptr<state_log> log_;
  std::unique_ptr<posix_process_executor> processes_; ///< null: nothing has been executed yet
  std::shared_ptr<state_logs> logs_;
  std::shared_ptr<const kept_folder> results_;
  std::unique_ptr<function_room> functions_; ///< there from the beginning, where pipelines may have functions
  std::unique_ptr<actor_room> room_;
  std::unique_ptr<thread_pool> readers_;
  std::atomic<bool> is_up_{false}; ///< all of these are there

  struct kept_run {
    std::unique_ptr<live_run> run;      ///< null: it executed nothing
    std::optional<run_result> finished; ///< of one that executed nothing
    bool keeps_house = false;
    bool cancelled = false; ///< once: a second time is meant more urgently
    bool over = false;
    std::vector<std::function<void(run_status)>> waiting;
  };
  std::mutex mutex_; ///< guards what follows
  std::map<run_number, kept_run> runs_;
  std::set<run_number> resuming_;                  ///< not among runs_ yet
  std::vector<std::pair<stop_cause, bool>> stops_; ///< of the whole process, so far
  bool house_is_kept_ = false;                     ///< a run does it
  bool unclean_ = false;                           ///< a run broke: what it left is for the next start's recovery

  std::mutex changes_mutex_;
  record_changes changes_; ///< guarded by changes_mutex_

  // Where actors run alone.
  std::vector<live_run*> living_; ///< in the order in which they have joined
  run_table others_;              ///< the same, as they deal with each other

  std::atomic<bool> anyone_waits_;          ///< of others_
  std::unique_ptr<control_server> control_; ///< last: it asks the others
};

/// What a queued run was asked for, for submit().
[[nodiscard]] run_options options_of(const run_queued& what);

} // namespace troupe_internal
