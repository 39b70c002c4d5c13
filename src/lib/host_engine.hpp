// An engine inside a program: its pipelines by name, its runs, what is recovered. Knows nothing of the C interface but
// its option structs and its errors.
#pragma once

#include "adapters/system/system_clock.hpp"
#include "engine/engine.hpp"
#include "lib/abi_error.hpp"
#include "lib/fork_guard.hpp"
#include "lib/host_run.hpp"
#include "lib/pipeline_draft.hpp"

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

/// Any thread.
class host_engine : public std::enable_shared_from_this<host_engine> {
public:
  using open_result = std::pair<std::shared_ptr<host_engine>, std::unique_ptr<troupe_error>>;
  [[nodiscard]] static open_result open(const troupe_engine_options& how);
  ~host_engine();
  host_engine(const host_engine&) = delete;
  host_engine& operator=(const host_engine&) = delete;

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
  /// Waits for runs that have ended, so that nothing of them is left in the engine.
  void keep();
  [[nodiscard]] troupe_error* resume_in(const project& on, run_number number, std::shared_ptr<host_run>& run);
  [[nodiscard]] troupe_error* not_ready();
  [[nodiscard]] result<std::vector<run_record>> open_runs();
  [[nodiscard]] result<std::uint32_t> resumed_in_vain(const run_record& record);
  /// Among the runs that the history still has.
  [[nodiscard]] result<std::optional<run_record>> run_with_key(const std::string& key);

  system_clock time_;
  stop_request stop_;
  std::string state_;
  std::uint32_t workers_;
  durability durability_;
  std::uint32_t most_resumptions_;
  bool commands_;
  host_run::log_function log_;
  std::unique_ptr<engine> engine_;
  std::optional<closed_in_forks> guarded_; ///< of the state's lock

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
