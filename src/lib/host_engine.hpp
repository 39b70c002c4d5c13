// An engine inside a program: its pipelines by name, its runs, what is recovered. Knows nothing of the C interface but
// its option structs and its errors.
#pragma once

#include "adapters/system/system_clock.hpp"
#include "engine/engine.hpp"
#include "lib/abi_error.hpp"
#include "lib/fork_guard.hpp"
#include "lib/host_feed.hpp"
#include "lib/host_run.hpp"
#include "lib/pipeline_draft.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace troupe_internal::lib {

/// A run as it is asked for. Keys are known as long as the run is in the history.
struct host_request {
  run_options options;
  std::string key; ///< empty: none
};

/// Something that happened outside, and that a pipeline of the program starts a run for.
struct host_notice {
  std::string name; ///< EVENT or PIPELINE/EVENT
  std::string key;  ///< empty: none
  std::string json; ///< empty: nothing came with it
  std::vector<std::pair<std::string, std::string>> params;
};

/// What became of it.
struct host_receipt {
  std::uint64_t event = 0;
  std::uint64_t duplicate_of = 0; ///< the event that had the key first; 0: none had
  std::shared_ptr<host_run> run;  ///< null: it is no longer in the history
};

/// Any thread.
class host_engine {
public:
  using open_result = std::pair<std::unique_ptr<host_engine>, std::unique_ptr<troupe_error>>;
  [[nodiscard]] static open_result open(const troupe_engine_options& how);
  ~host_engine();
  host_engine(const host_engine&) = delete;
  host_engine& operator=(const host_engine&) = delete;

  [[nodiscard]] const std::shared_ptr<engine_link>& link() const { return link_; }

  // Errors of these are owned by the caller; null: there is none.
  [[nodiscard]] troupe_error* add(const troupe_pipeline& what);
  /// What became of an open run, the run that goes on (null: none does), and why it was not resumed.
  using each_recovered = std::function<void(run_number number, std::uint32_t what, const std::shared_ptr<host_run>& run,
                                            const std::string& reason)>;
  [[nodiscard]] troupe_error* recover(std::uint32_t policy, const each_recovered& each);
  [[nodiscard]] troupe_error* start(std::string_view pipeline, const host_request& what,
                                    std::shared_ptr<host_run>& run);
  [[nodiscard]] troupe_error* resume(run_number number, std::shared_ptr<host_run>& run);
  [[nodiscard]] troupe_error* find(run_number number, std::shared_ptr<host_run>& run);
  [[nodiscard]] troupe_error* plan(std::string_view pipeline, const host_request& what, troupe_each_asset each,
                                   void* state);
  [[nodiscard]] troupe_error* status(std::string_view pipeline, troupe_each_asset each, void* state);
  [[nodiscard]] troupe_error* latest(const troupe_asset& asset, const troupe_type& as, troupe_value& value,
                                     troupe_value_info* info);
  [[nodiscard]] troupe_error* assets_of(run_number number, troupe_each_asset each, void* state);
  [[nodiscard]] troupe_error* explain(std::string_view pipeline, std::string_view asset, troupe_each_explanation each,
                                      void* state);
  [[nodiscard]] troupe_error* history(std::string_view pipeline, std::string_view asset, std::uint64_t before,
                                      std::uint32_t limit, troupe_each_execution each, void* state);
  /// The pipeline and the name of an asset that the host has a handle of.
  [[nodiscard]] troupe_error* name_of(const troupe_asset& asset, std::string& pipeline, std::string& name);
  /// `from`: TROUPE_EVENTS_NEW, or the number of the first event that is wanted.
  [[nodiscard]] troupe_error* events(std::uint64_t from, std::optional<run_number> run, bool progress,
                                     std::shared_ptr<host_feed>& feed);
  [[nodiscard]] std::vector<function_report> calls() const { return engine_->functions()->calls(); }
  /// What is wrong with the state, as `troupe journal verify` finds it.
  [[nodiscard]] troupe_error* verify(std::vector<std::string>& problems);
  /// The event and its run are on disk when this returns.
  [[nodiscard]] troupe_error* notify(const host_notice& what, host_receipt& receipt);
  [[nodiscard]] troupe_error* cancel(run_number number, bool at_once);
  /// Without limit if `grace` is below zero.
  [[nodiscard]] troupe_error* shutdown(std::chrono::nanoseconds grace);
  /// A line for people.
  void note(const std::string& line) const { log_(1, line); }
  /// Whether the calling thread runs a function of this engine.
  [[nodiscard]] bool is_in_function() const { return engine_ && engine_->functions()->is_here(); }

private:
  explicit host_engine(const troupe_engine_options& how);
  /// A pipeline that was added, with these params; or why not.
  [[nodiscard]] troupe_pipeline::outcome project_of(std::string_view pipeline,
                                                    const std::vector<std::pair<std::string, std::string>>& params);
  [[nodiscard]] std::shared_ptr<host_run> new_run();
  void forget(run_number number);
  /// Says of functions that were asked to stop, and do not, once each. Of the keeper.
  void warn_of_unstopped();
  /// Waits for runs that have ended, so that nothing of them is left in the engine.
  void keep();
  [[nodiscard]] troupe_error* resume_in(const project& on, run_number number, std::shared_ptr<host_run>& run);
  [[nodiscard]] troupe_error* not_ready();
  [[nodiscard]] result<std::vector<run_record>> open_runs();
  [[nodiscard]] result<std::uint32_t> resumed_in_vain(const run_record& record);
  /// The run that was started with the key; nullopt: none was. A key is known for 90 days.
  [[nodiscard]] result<std::optional<seen_key>> key_seen(const std::string& scope, const std::string& key);
  /// Keys of pipelines that were added, and are older than that, count no more; texts of events that are history go.
  [[nodiscard]] result<void> forget_old_keys();
  /// A run that was queued begins.
  [[nodiscard]] troupe_error* start_queued(const project& on, const run_queued& what, std::vector<event_taken> events,
                                           std::shared_ptr<host_run>& run);
  /// Runs that notices have queued, and that a process which died did not begin.
  [[nodiscard]] troupe_error* recover_queue(std::uint32_t policy, const each_recovered& each);
  [[nodiscard]] result<void> dequeue(run_number run);
  /// The pipeline that has the event, and the assets that a run for it makes.
  [[nodiscard]] troupe_error* find_notice(const std::string& name, std::string& pipeline, std::string& event,
                                          std::vector<std::string>& selection);
  void ring_feeds();
  /// The first event that a subscription has not read yet. One that is too far behind holds up nothing.
  [[nodiscard]] std::uint64_t first_wanted(std::uint64_t newest);
  void tell_progress(const function_report& said);
  [[nodiscard]] std::vector<std::shared_ptr<host_feed>> feeds();

  const std::shared_ptr<engine_link> link_ = std::make_shared<engine_link>(*this);
  system_clock time_;
  stop_request stop_;
  std::string state_;
  std::uint32_t workers_;
  troupe_pipeline::engine_part part_;
  std::uint32_t most_resumptions_;
  const std::chrono::nanoseconds warn_after_;
  struct asked_to_stop {
    std::chrono::steady_clock::time_point since; ///< when the keeper saw it first
    bool warned = false;
  };
  std::map<std::string, asked_to_stop> asked_; ///< of the keeper: by function and run
  const std::uint64_t exit_after_;             ///< for tests: transactions; 0: never
  const int exit_status_;
  std::atomic<std::uint64_t> returned_{0}; ///< for tests: calls of functions
  std::uint64_t commits_ = 0;              ///< of the thread that commits
  bool commands_;
  host_run::log_function log_;
  std::unique_ptr<engine> engine_;
  std::optional<closed_in_forks> guarded_; ///< of the state's lock

  std::mutex feeds_mutex_; ///< taken last
  std::vector<std::weak_ptr<host_feed>> feeds_;
  std::mutex keys_mutex_;    ///< taken before mutex_
  mutable std::mutex mutex_; ///< guards what follows
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<const troupe_pipeline>, std::less<>> pipelines_;
  /// By the id that the host knows it by; also those that others have replaced.
  std::map<std::uint32_t, std::shared_ptr<const troupe_pipeline>> by_id_;
  std::map<run_number, std::shared_ptr<host_run>> runs_; ///< that have not ended
  std::deque<run_number> over_;
  bool recovered_ = false;
  bool shutting_down_ = false;
  bool ending_ = false;
  std::thread keeper_; ///< last: it uses the others
};

} // namespace troupe_internal::lib
