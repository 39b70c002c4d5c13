// The supervisor: one engine that stays up, the pipelines it has, and its HTTP interface. Knows no command line, and no
// policy of a run.
#pragma once

#include "adapters/http/http_server.hpp"
#include "adapters/state/state_socket.hpp"
#include "adapters/system/system_clock.hpp"
#include "base/result.hpp"
#include "engine/serving_engine.hpp"
#include "serve/api.hpp"
#include "serve/file_watcher.hpp"
#include "serve/notifier.hpp"
#include "serve/reload_watch.hpp"
#include "serve/sensor_desk.hpp"
#include "serve/trigger_clock.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace troupe_internal::serve {

inline constexpr const char* supervisor_socket = "supervisor.sock";

/// What a supervisor's file says when it is read again.
struct served_again {
  std::vector<std::string> pipelines; ///< files; absolute
  std::vector<std::string> notes;     ///< what has changed and needs a restart
};

struct supervisor_options {
  std::string state;                  ///< folder of the state; absolute
  std::vector<std::string> pipelines; ///< files; absolute
  std::string file;                   ///< the supervisor's own; empty: there is none
  /// Reads that file again; its mistakes are an error, and everything stays. None: there is no such file.
  std::function<result<served_again>()> read_again;
  bool auto_reload = false; ///< files that change are loaded by themselves
  /// Sockets that listen already, handed over by whoever started this process; taken once the state is open.
  std::shared_ptr<std::vector<http_listener>> inherited;
  std::function<void(bool begins)> on_reload; ///< called before and after all files are loaded again; may be empty
  std::vector<std::string> listen;            ///< TCP addresses beside the Unix socket
  access_rules access{};
  std::uint64_t hook_bytes = std::uint64_t{1} << 20U; ///< that the body of a webhook may have
  duration keep_events = std::chrono::hours(24 * 90); ///< and what came with them
  serving_options engine{};                           ///< its folder and opening are the supervisor's to fill in
  bool assume_dead = false;
  notify_setup notify{};
  bool trust_clock = false; ///< schedules fire though the clock is far behind the journal's last event
  std::function<void(const std::string&)> log; ///< a line; any thread
};

/// How loading all files anew went.
struct reload_report {
  std::vector<std::string> problems; ///< of files; what they said before stays
  std::vector<std::string> notes;
};

/// Any thread.
class supervisor final : public supervisor_port {
public:
  /// Takes the state's lock, recovers, loads the pipelines, and listens. A pipeline that does not load is left out, and
  /// said so; only the state and the addresses keep the supervisor from starting. `stop` outlives it.
  [[nodiscard]] static result<std::unique_ptr<supervisor>> open(const supervisor_options& how, system_clock& time,
                                                                stop_request& stop);
  /// Takes no more requests, then ends live runs at once.
  ~supervisor() override;
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Takes nothing in any more, and waits until no run is live: they are interrupted, or come to their end first, as
  /// the stop was asked for. Meanwhile it answers who only reads.
  void shut_down();

  /// Loads all files anew; pipelines that do not load keep what they had.
  reload_report reload();
  /// Looks again at pipelines whose own state another process was writing when they were loaded.
  void retry_claims();
  /// The same as reload(), if a file has other bytes than those that were loaded last, or if a change was seen and the
  /// last load has found something wrong.
  void reload_if_changed(bool seen);
  [[nodiscard]] result<supervisor_answer> ask(const supervisor_ask& asked) override;
  [[nodiscard]] reload_state last_reload();
  /// "2 of 2 pipelines, 1 run live, 3 queued"; one line for people.
  [[nodiscard]] std::string status_line();
  /// See serving_engine::on_turn().
  void on_turn(std::function<void()> then) { engine_->on_turn(std::move(then)); }
  [[nodiscard]] std::vector<served_pipeline> pipelines();
  /// The TCP ports that it listens at, in the order of the addresses.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return ports_; }

private:
  supervisor(const supervisor_options& how, system_clock& time, stop_request& stop)
      : how_(how), time_(time), stop_(stop) {}
  /// With its triggers, if it loads.
  struct loaded_file {
    served_pipeline what;
    std::shared_ptr<const trigger_set> triggers;
    std::shared_ptr<const pipeline> p;
    std::string note; ///< what people should know of it; may be empty
  };
  [[nodiscard]] loaded_file load(const std::string& file) const;
  /// Why an unsigned webhook may not be served at these addresses; empty: it may.
  [[nodiscard]] std::string unsigned_problem(const trigger_set& triggers) const;
  /// reload_mutex_ is held.
  reload_report reload_now();
  void load_all(reload_report& report);
  [[nodiscard]] bool is_left_out(const std::string& file);
  void replace(std::vector<loaded_file> all, reload_report& report);
  /// Runs that wait for a pipeline which is served no more do not wait any longer.
  void drop_runs_of(const std::vector<std::string>& gone, reload_report& report);
  [[nodiscard]] result<supervisor_answer> load_one(const std::string& file);
  [[nodiscard]] std::string bytes_of_files() const;
  void watch_files();
  [[nodiscard]] result<void> start_triggers(system_clock& time);
  [[nodiscard]] result<void> listen(system_clock& time);
  /// What of the pipeline this supervisor's settings do not allow; empty: nothing.
  [[nodiscard]] std::string problem_with(const pipeline& p) const;

  supervisor_options how_;
  system_clock& time_;
  stop_request& stop_;
  std::mutex reload_mutex_;  ///< one reload at a time; also of how_.pipelines, loaded_bytes_ and reload_failed_
  std::string loaded_bytes_; ///< a digest for each file, as they were when they were loaded last
  bool reload_failed_ = false;
  std::set<std::string> held_by_others_; ///< files of pipelines whose own states others write; under reload_mutex_
  bool inherits_tcp_ = false;            ///< whom such a socket lets in is not known here
  std::uint64_t loads_ = 0;              ///< so many there were
  std::mutex mutex_;
  std::vector<served_pipeline> pipelines_; ///< under mutex_
  reload_state last_reload_;               ///< under mutex_
  std::unique_ptr<serving_engine> engine_;
  std::unique_ptr<trigger_desk> desk_;
  std::unique_ptr<hook_desk> hooks_;
  std::unique_ptr<trigger_clock> clock_;
  std::unique_ptr<file_watcher> watcher_;
  std::atomic<const file_watcher*> watching_{nullptr}; ///< the same, for requests that may come before it
  std::unique_ptr<sensor_desk> sensors_;
  std::unique_ptr<notifier> notifier_;
  std::atomic<const notifier*> notifying_{nullptr}; ///< likewise
  state_dir::handle dir_;
  std::vector<std::uint16_t> ports_;
  state_socket socket_;
  std::unique_ptr<asset_looks> looks_;
  std::unique_ptr<loop_pulse> pulse_;
  std::unique_ptr<api> api_;
  std::unique_ptr<http_server> server_; ///< it asks those before
  std::unique_ptr<reload_watch> watch_; ///< last: likewise
};

} // namespace troupe_internal::serve
