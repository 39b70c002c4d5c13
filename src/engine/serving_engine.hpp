// An engine that stays up: it keeps a durable queue of runs, starts each when it may, and opens its state again after
// the journal has failed. Knows no policy of a run, and no clients.
//
//   submit ──► may it start now? ── yes ──► planned by the caller, run_started on disk ──► acknowledged
//                    │ no
//                    ▼
//              run_queued on disk ──► acknowledged ──► waits ──► planned by a planner, from its file as it is then
//                                                       ▲   │
//                                                       └───┘ its pipeline does not load: looked at again later
//
//   opened: what an earlier engine left open is resumed (serving_restart.cpp), in the order of the runs' first start,
//           before the queue
//   stop:   live runs are interrupted, or come to their end first (drain); queued ones stay queued
//
// A thread of its own, the keeper, takes what has ended, starts what may, and reopens. Plans are made by a few
// planners, so that neither the keeper nor the readers of live runs wait for one.
#pragma once

#include "adapters/system/thread_pool.hpp"
#include "core/model/restart_rule.hpp"
#include "core/schedule/run_queue.hpp"
#include "core/trigger/event_rules.hpp"
#include "core/trigger/start_rules.hpp"
#include "engine/commit_bell.hpp"
#include "engine/control_port.hpp"
#include "engine/control_server.hpp"
#include "engine/engine.hpp"
#include "engine/file_identity.hpp"
#include "engine/pipeline_versions.hpp"
#include "engine/run_ask.hpp"
#include "engine/trigger_intake.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace troupe_internal {

struct serving_options {
  std::string folder; ///< the state's
  state_opening opening;
  queue_limits limits{16, 64};
  /// Runs of triggers wait until set_rules() was called for the first time: their rules are not known before.
  bool waits_for_rules = false;
  std::uint32_t most_queued = 10'000; ///< one more is refused
  /// When a pipeline that does not load is looked at again: after this, then twice as long each time, up to the most.
  std::chrono::milliseconds look_again{1000};
  std::chrono::milliseconds look_again_most{60'000};
  /// The same for a state whose journal failed.
  std::chrono::milliseconds reopen_after{1000};
  std::chrono::milliseconds reopen_most{60'000};
  unsigned planners = 2;                   ///< plans that are made at a time for runs that were queued
  std::optional<shared_room> room{};       ///< what all runs may use together
  std::optional<history_bounds> history{}; ///< how much of what ended is kept
  /// Whether a pipeline file may be loaded at all, whatever it says; none: every one.
  std::function<result<void>(const std::string& file)> may_load;
  /// Gets each run that begins (or goes on), and each that has ended, with its status; any thread, not under a lock.
  std::function<void(run_number, const started_run&, std::optional<run_status>)> run_told;
  restart_rule on_restart = restart_rule::resume_or_rerun;
  /// So often a run is resumed by itself after crashes in which none of its attempts came to an end; then it is ended,
  /// and its trigger is paused.
  std::uint32_t most_vain_resumptions = 3;
  /// How long commands get to end themselves when the engine stops, whatever their pipelines say; none: as long as
  /// those say.
  std::optional<duration> grace_at_stop{};
  /// A stop lets live runs come to their end, at most so long; none: it interrupts them.
  std::optional<duration> drain{};
};

/// Of runs that were queued and have started, since this process opened the state.
struct start_figures {
  std::uint64_t runs = 0;
  duration waited{0};  ///< from the queue until it was a run's turn, all together
  duration started{0}; ///< from then until it had begun, on disk
};

/// Any thread may call it. Calls that name a run do not block for longer than a turn of the loop, unless they say so.
class serving_engine final : public control_port {
public:
  /// Opens the state as engine::open does. Runs that are queued in it start when they may. Listens at the control
  /// socket and to `stop`, which outlives it: after a request live runs are interrupted (or drained), none starts, and
  /// queued ones stay queued; after a second one commands are killed. Runs that an earlier engine left open are
  /// resumed.
  [[nodiscard]] static result<std::unique_ptr<serving_engine>> open(const serving_options& how, system_clock& time,
                                                                    stop_request& stop);
  /// Live runs are interrupted at once; queued ones stay queued.
  ~serving_engine() override;
  serving_engine(const serving_engine&) = delete;
  serving_engine& operator=(const serving_engine&) = delete;

  /// Takes a run on. Its number is on disk when this returns. Blocks until then: for its plan, if it starts now; else
  /// for its file to be loaded and one commit. `observer`, if any, outlives the run, and gets nothing of a run that a
  /// later process starts. Errors: invalid_input (the pipeline, the selection, another pipeline that makes the same
  /// file), state_unusable (the journal has failed, or the system refuses what a run needs), stopped, and busy where
  /// the queue is full. Then there is no run.
  [[nodiscard]] result<submitted_run> submit(const run_ask& ask, run_observer* observer = nullptr);
  /// Waits for the end of a run, live or queued, and says how it ended: `interrupted` too where the journal failed.
  /// not_found if there is no such run.
  [[nodiscard]] result<run_status> wait(run_number run);
  /// Goes on with a run that was interrupted, failed or cancelled, as the same run; durable when this returns.
  /// `secrets`: its secret params, which are recorded nowhere. Errors: invalid_input where it lives or has succeeded,
  /// or where its definitions have changed; not_found; and those of submit().
  [[nodiscard]] result<submitted_run> resume(run_number run,
                                             const std::vector<std::pair<std::string, std::string>>& secrets = {});
  /// Takes nothing on any more, and waits until no run is live: they are interrupted, or drained where a drain was
  /// asked for. A request to stop speeds it up.
  void shut_down();
  /// From now on a stop lets live runs come to their end, at most so long.
  void set_drain(duration longest);
  /// The last engine's runs that are still to be resumed, or cannot be: their numbers, and why not.
  [[nodiscard]] std::vector<std::pair<run_number, std::string>> left_open();
  /// Takes events of triggers in, all of them or none, in one transaction: each queues the run that it causes, joins a
  /// run that waits, is skipped, or has a fate already. Returns what becomes of them as soon as their place in the
  /// journal is certain; `durable` is called with the same once they are on disk, on the thread that commits, or with
  /// why they never will be; it may not call the engine. Errors, after which it is not called: as submit(), and busy
  /// where one `refuses` and its queue is full.
  [[nodiscard]] result<std::vector<taken_event>> take_events(std::vector<event_intake> all, when_taken durable);
  /// What would become of them, as it is now: nothing is taken in.
  [[nodiscard]] result<std::vector<taken_event>> would_take(std::vector<event_intake> all);
  /// The same as take_events(); returns when they are on disk.
  [[nodiscard]] result<std::vector<taken_event>> take_events(std::vector<event_intake> all);
  /// Appends events that are of no run; on disk when this returns. Errors: state_unusable.
  [[nodiscard]] result<void> record(std::vector<event> events);
  /// What is true of a pipeline in another state becomes true in this one, in one transaction; how many assets that
  /// were. On disk when this returns. Before a run of the pipeline begins here.
  [[nodiscard]] result<std::size_t> take_over_from(const journal_snapshot& other, const std::string& pipeline);
  /// The number that the next event gets, if nobody else takes one in.
  [[nodiscard]] std::uint64_t next_event() {
    const std::lock_guard lock(intake_);
    return last_event_ + 1;
  }
  /// When runs of triggers may start.
  void set_rules(start_rule_map rules);
  /// Called, on any thread, when runs of triggers have ended; it may not call the engine. None: nobody.
  void when_run_ended(std::function<void()> wake) { run_bell_.connect(std::move(wake)); }
  /// As when_committed(), for who follows assets.
  void when_assets_may_have_changed(std::function<void()> wake) { asset_bell_.connect(std::move(wake)); }
  /// Time may have passed that nobody noticed: the machine slept.
  void look_again();
  /// Whom clients of the control socket ask about triggers; null: nobody. When this returns, nobody asks the one that
  /// was set before.
  void set_triggers(trigger_port* triggers);
  /// The same for what is asked of the supervisor as a whole.
  void set_supervisor(supervisor_port* supervisor);
  /// Queued runs leave the queue for good, durably, where `which` says so: their pipeline is gone. Their number.
  [[nodiscard]] result<std::size_t> drop_queued(const std::function<bool(const run_queued&)>& which);
  /// Pipelines that did not load are looked at now.
  void retry_loads();
  /// As when_committed(), which is the control socket's, for one more; none: no more. Any number of calls.
  void also_when_committed(std::function<void()> wake) { other_bell_.connect(std::move(wake)); }
  /// Likewise, for one more.
  void tell_of_commits(std::function<void()> wake) { third_bell_.connect(std::move(wake)); }
  /// `then` is called by the loop that runs actors and commands; by this thread where the state is being opened.
  void on_turn(std::function<void()> then);
  /// As engine::commit_wait(); 0 where the state is being opened.
  [[nodiscard]] duration commit_wait();
  /// The state's folder.
  [[nodiscard]] const std::string& folder() const { return how_.folder; }
  /// How long runs of each pipeline that were queued had to wait.
  [[nodiscard]] std::map<std::string, start_figures> start_times();
  /// How many runs are live, and how many are queued.
  [[nodiscard]] std::pair<std::size_t, std::size_t> count_runs();
  /// Starts a command that is no asset's, in the state's name: TROUPE_STATE_ID and TROUPE_SUPERVISOR are added to its
  /// environment, so that the next writer ends it if this process dies. `key` is filled in before it starts. Errors:
  /// state_unusable where commands cannot run at the moment, and `exited` is not called; else it is, once.
  [[nodiscard]] result<void> start_command(process_request request, process_key& key,
                                           std::function<void(process_exit)> exited);
  void end_command(process_key key, urgency how);
  /// Whether nothing is taken on any more, since it stops.
  [[nodiscard]] bool stopping();
  /// Why the state cannot be written at the moment; empty: it can.
  [[nodiscard]] std::string trouble();

  // control_port
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> history() override;
  /// The same, once all that anybody has appended so far is on disk.
  [[nodiscard]] result<std::unique_ptr<journal_snapshot>> history_of_now();
  void when_committed(std::function<void()> wake) override { bell_.connect(std::move(wake)); }
  [[nodiscard]] std::vector<live_run_info> list() override;
  [[nodiscard]] std::vector<queued_run_info> queue() override;
  /// A queued run is taken off the queue: `ended` is reported once that is on disk.
  [[nodiscard]] result<run_number> cancel(std::optional<run_number> run, bool at_once) override;
  [[nodiscard]] result<void> when_ended(run_number run, std::function<void(run_status)> then) override;
  void submit_later(run_ask ask, std::function<void(result<submitted_run>)> then) override;
  /// A queued run gets another priority: `then` is called once that is on disk. not_found if it is not queued.
  [[nodiscard]] result<void> prioritize(run_number run, std::int32_t priority,
                                        std::function<void(result<void>)> then) override;

  void ask_trigger(trigger_ask asked, std::function<void(result<taken_event>)> then) override;
  void resume_later(run_number run, std::vector<std::pair<std::string, std::string>> secrets,
                    std::function<void(result<submitted_run>)> then) override;
  void ask_supervisor(supervisor_ask asked, std::function<void(result<supervisor_answer>)> then) override;

private:
  using steady = std::chrono::steady_clock;
  using param_list = std::vector<std::pair<std::string, std::string>>;

  struct waiting_run {
    run_queued what;
    std::vector<event_taken> events; ///< of its cause, as far as they came to this process
    run_observer* observer = nullptr;
    bool recorded = true;   ///< on disk: until then it does not start
    bool starting = false;  ///< a planner has it
    bool cancelled = false; ///< while it was starting
    std::string problem;    ///< why it did not start; empty: nothing was tried, or it is its turn that it waits for
    steady::time_point due; ///< with a problem: when it is tried again
    std::chrono::milliseconds pause{0};
    start_moments moments{};       ///< on the boot clock
    std::optional<duration> noted; ///< in starts_, at this moment
    duration turn{0};              ///< when it was its turn, on the monotonic clock
    /// One more event that it is for.
    void add(const event_taken& taken) {
      if (what.cause.events.size() == most_events_listed)
        return;
      what.cause.events.push_back(taken.event);
      events.push_back(taken);
    }
  };
  /// A run that an earlier engine left open.
  struct left_open_run {
    run_record record;
    bool resuming = false;  ///< a planner has it, and live_ counts it
    std::string problem;    ///< why it could not be resumed; empty: nothing was tried
    steady::time_point due; ///< with a problem: when it is tried again
    std::chrono::milliseconds pause{0};
  };
  /// Keeps the engine where it is while it is used; none where the journal has failed.
  class in_use {
  public:
    explicit in_use(serving_engine& all);
    ~in_use();
    in_use(const in_use&) = delete;
    in_use& operator=(const in_use&) = delete;
    explicit operator bool() const { return engine_ != nullptr; }
    engine& operator*() const { return *engine_; }
    engine* operator->() const { return engine_; }

  private:
    serving_engine& all_;
    engine* engine_ = nullptr;
  };

  serving_engine(const serving_options& how, system_clock& time, stop_request& stop);
  [[nodiscard]] result<void> open_state(std::shared_ptr<const state_lock> lock);
  [[nodiscard]] static result<std::vector<waiting_run>> read_queue(engine& with);
  void keep();
  void take_ended(std::unique_lock<std::mutex>& lock);
  void start_what_may();
  // in serving_restart.cpp
  [[nodiscard]] static result<std::vector<left_open_run>> read_left_open(engine& with);
  /// Resumes the next one. Whether some are left that were not tried: the queue comes after them. mutex_ is held.
  bool resume_what_may();
  /// A planner does it: by itself, as on_restart says.
  void restart(const run_record& record);
  /// After it the run is not left open any more, or the error says why it is.
  [[nodiscard]] result<void> try_to_restart(engine& with, const run_record& record);
  [[nodiscard]] result<void> give_up(engine& with, const run_record& record, std::uint32_t times);
  [[nodiscard]] result<void> rerun(engine& with, const run_record& record);
  [[nodiscard]] result<void> resume_in(engine& with, const run_record& record, const param_list& secrets,
                                       bool* has_changed);
  /// Ends it as cancelled, on a planner. It has left left_open_.
  void end_left_open(run_number run);
  [[nodiscard]] left_open_run* find_left_open(run_number run);
  void note(const std::string& line) const;
  /// A planner does it.
  void start(const run_queued& what, run_observer* observer);
  [[nodiscard]] result<void> try_to_start(engine& with, const run_queued& what, run_observer* observer);
  /// Somebody asked for its end before it had begun.
  void cancel_if_asked(engine& with, run_number run);
  /// The run could not start. mutex_ is held.
  void try_again_later(waiting_run& run, std::string why);
  void reopen(std::unique_lock<std::mutex>& lock);
  /// Takes the run, which has left queue_, out of the journal's queue. `with` is in use.
  void dequeue(engine& with, run_number run, dequeue_reason why = dequeue_reason::cancelled);
  /// The journal takes no more. mutex_ is held.
  void fail_with(const std::string& why);
  /// Whether the journal still takes something; else it has failed with that.
  bool takes_events(engine& with);
  void stop_runs(bool at_once);
  [[nodiscard]] error unusable() const;
  /// Wakes the keeper. mutex_ is held.
  void wake_keeper();
  /// One that had no number yet has got it, or does not start. mutex_ is held.
  void leave_starting(const started_run& what);

  [[nodiscard]] result<submitted_run> submit_anew(const run_ask& ask, run_observer* observer);
  [[nodiscard]] result<submitted_run> start_now(const project& on, const run_options& options, run_observer* observer);
  [[nodiscard]] result<submitted_run> put_in_queue(const project& on, const run_options& options, const run_ask& ask,
                                                   run_observer* observer);
  /// Whether a run that comes now may start before all that are queued. mutex_ is held.
  [[nodiscard]] bool may_start_now(const run_ask& ask) const;
  /// Runs that are live or about to be. mutex_ is held.
  [[nodiscard]] std::vector<started_run> live_or_starting() const;
  [[nodiscard]] static started_run kind_of(const run_queued& what);
  [[nodiscard]] static started_run kind_of(const run_record& record);
  /// Where a run's pipeline file is, for whoever loads it.
  [[nodiscard]] project_options where_to_load(const run_request& request) const;
  [[nodiscard]] result<project> load(const project_options& where);
  void tell_run(run_number run, const started_run& what, std::optional<run_status> ended) const;
  /// Why a queued run may not start although it is its turn. mutex_ is held, as in those that follow.
  [[nodiscard]] std::optional<held_run> held(const waiting_run& run, const std::vector<started_run>& live) const;
  /// Its time, if it has one, runs from `started_at`.
  void note_live(run_number run, const started_run& what, duration timeout, timestamp started_at);
  void forget_live(run_number run);
  /// Runs that have waited too long leave the queue; live ones that took too long end; others end for the next one.
  void do_what_is_due(std::unique_lock<std::mutex>& lock);
  /// The open runs that an event has to heed. mutex_ is held.
  [[nodiscard]] std::vector<open_trigger_run> open_runs(const event_intake& of,
                                                        const std::vector<waiting_run>& also) const;
  /// When something is due although nothing happens.
  [[nodiscard]] std::optional<duration> next_due() const;
  [[nodiscard]] result<void> append_and_wait(engine& with, std::vector<event> events);
  /// Events that are being taken in together.
  struct event_batch;
  /// The run that an event asks for, as it would be queued, but for its number.
  [[nodiscard]] result<run_queued> run_for(const event_intake& intake);
  /// The same, and the fate of an event whose values its pipeline does not take.
  [[nodiscard]] result<run_queued> run_or_fate(event_intake& intake);
  /// The event joins a run that waits, before the batch or since. intake_ and mutex_ are held, as in those that follow.
  void join_run(event_batch& to, const event_intake& intake, const run_queued& asked, run_number joined);
  /// Decides what becomes of one more event.
  [[nodiscard]] result<void> add_event(event_batch& to, event_intake intake, run_queued run);
  /// What was decided for all becomes so. `with` is in use; the same are held.
  void append_batch(engine& with, event_batch batch, when_taken durable);
  /// Ends the live runs of the triggers whose queued runs take their place. The keeper, with mutex_ held.
  void end_what_gives_way(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] static queued_run place_of(const run_queued& what);
  [[nodiscard]] std::pair<start_hold, std::string> why_it_waits(const waiting_run& run,
                                                                const std::vector<started_run>& live) const;
  [[nodiscard]] waiting_run* find_queued(run_number run);
  /// Who waits for the run hears of its end. mutex_ is not held.
  void tell(run_number run, run_status status);

  const serving_options how_;
  system_clock& time_;
  stop_request& stop_;
  pipeline_versions versions_;
  commit_bell bell_; ///< of whichever engine there is
  commit_bell other_bell_;
  commit_bell third_bell_;
  commit_bell run_bell_;
  commit_bell asset_bell_;

  /// What a pipeline's file made of a request, as long as the file is the same.
  struct known_request {
    file_identity file;
    std::string pipeline;
    run_request request;
  };
  std::mutex requests_mutex_;
  std::map<std::string, known_request> requests_; ///< under requests_mutex_; at most most_requests
  static constexpr std::size_t most_requests = 1000;

  std::mutex keyed_; ///< held while a run with a key is taken on
  std::mutex triggers_mutex_;
  trigger_port* triggers_ = nullptr; ///< under triggers_mutex_
  std::mutex supervisor_mutex_;
  supervisor_port* supervisor_ = nullptr; ///< under supervisor_mutex_

  /// Events are taken in one at a time, so that their numbers are in the journal in their order. Locked before mutex_.
  std::mutex intake_;
  std::uint64_t last_event_ = 0; ///< under intake_, or while there is no engine

  std::mutex mutex_; ///< guards what follows; never held while the engine is called
  std::condition_variable changed_;
  std::unique_ptr<engine> engine_;
  std::shared_ptr<const state_lock> lock_; ///< of the state; kept while there is no engine
  state_dir::handle dir_;
  std::string failed_;      ///< why the journal takes nothing; empty: it does
  std::uint32_t users_ = 0; ///< of engine_
  bool something_happened_ = false;
  bool stopping_ = false;
  bool ending_ = false;
  std::optional<duration> drain_;        ///< see serving_options::drain
  std::vector<left_open_run> left_open_; ///< in the order of their first start
  std::vector<waiting_run> queue_;
  start_rule_map rules_;
  bool rules_known_ = false; ///< they were set
  start_ledger starts_;
  std::map<std::string, start_figures> start_times_; ///< by pipeline
  std::map<run_number, duration> deadlines_;         ///< of live runs, on the boot clock
  std::map<run_number, started_run> live_;
  std::vector<started_run> starting_; ///< their number is not known yet
  std::deque<run_number> ended_;
  std::set<run_number> to_cancel_;    ///< live, and about to begin
  std::vector<run_number> replacing_; ///< queued, and the live runs of their triggers are to end
  std::set<run_number> leaving_;      ///< cancelled in the queue, and that is not on disk yet
  std::multimap<run_number, std::function<void(run_status)>> hearers_;

  std::unique_ptr<control_server> control_;
  std::unique_ptr<thread_pool> planners_;
  std::thread keeper_; ///< last: it uses the members above
};

} // namespace troupe_internal
