// A pipeline with its graph and its state folder: what every command starts from. Knows nothing of the command line or
// of printing.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"
#include "core/model/report.hpp"
#include "core/model/retention.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/diagnostic.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/host_function.hpp"
#include "ports/journal_store.hpp"
#include "ports/run_observer.hpp"
#include "ports/value_store.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

struct project_options {
  std::string file = "troupe.json"; ///< "-": standard input
  std::string state;                ///< folder; empty: the pipeline's engine.state_dir
  std::vector<std::pair<std::string, std::string>> params;
  bool only_regular = false; ///< the user did not name the file: what is no regular file is not waited for
  bool all_files = false;    ///< all its files are going to be looked at: that may begin while the pipeline is read
  bool journal = false;      ///< its journal is going to be written: a look at all of it may begin likewise
};

class early_look;
class early_inspection;
struct trigger_set;

/// A valid pipeline, its graph, and where its state is.
struct project {
  std::shared_ptr<const pipeline> p;
  std::shared_ptr<const asset_graph> graph;
  std::string state_folder;                         ///< absolute; need not exist
  std::shared_ptr<early_look> seen{};               ///< null unless asked for, or too little to be worth it
  std::shared_ptr<early_inspection> journal_seen{}; ///< null unless asked for
  std::shared_ptr<const trigger_set> triggers{};    ///< empty if the file has none
  std::shared_ptr<const function_set> functions{};  ///< that assets of it are made by; null: none
  /// Values of variables of another process, whose environment counts; nullopt: not set there. Null: this process's
  /// own.
  std::shared_ptr<const std::map<std::string, std::optional<std::string>>> environment{};
  const value_store* values = nullptr; ///< where their values are; null: those in files are not looked for
};

/// How the state names the pipeline's file: relative to the folder the state lies in where the file is beneath that too
/// (the two may be moved together), else absolute; "-" for standard input.
[[nodiscard]] std::string recorded_file(const pipeline& p, const std::string& state_folder);
[[nodiscard]] inline std::string recorded_file(const project& on) {
  return recorded_file(*on.p, on.state_folder);
}

/// Loads, checks and builds. `findings` gets all mistakes and warnings; on mistakes the error (invalid_input) says how
/// many, and the caller prints the findings.
[[nodiscard]] result<project> open_project(const project_options& options, diagnostics& findings);

/// Whether the pipeline's history is still in the state that it was in when the project was opened: a supervisor may
/// have taken it over since. To be asked with that state locked. Errors: state_locked, state_unusable.
[[nodiscard]] result<void> require_state_of(const project& on);

/// The names of all assets of the file, for who asks by the way (a Tab key): only of a regular file, and none where it
/// is large or has mistakes. The graph is not looked at.
[[nodiscard]] std::vector<std::string> asset_names(const project_options& options);

/// The project with the edges that its records tell: an asset reported a file as an input, and another makes it. The
/// project itself if there are none, or no state. For commands that only show the graph: plans and runs see to it by
/// themselves.
[[nodiscard]] result<project> with_recorded_edges(const project& on);

/// The state folder for commands that need no valid pipeline (runs, show, logs, journal …): --state, or that of the
/// pipeline file if it can be read, or .troupe beside it. `pipeline`, if not null, gets the name of the pipeline, if
/// its file can be read. `by_the_way`: as for asset_names().
[[nodiscard]] result<std::string> find_state_folder(const project_options& options, std::string* pipeline = nullptr,
                                                    bool by_the_way = false);

/// Which assets a command is about, and how.
struct run_options {
  std::vector<std::string> selection; ///< none: everything
  std::vector<std::string> exclude;
  bool only = false;
  bool force = false;
  std::optional<std::uint32_t> workers;
  std::optional<troupe_internal::error_strategy> error_strategy;
  std::vector<std::pair<std::string, std::string>> params; ///< as given, recorded for resume
  /// When the user's command started, by the monotonic clock: the run starts then. None: when it is asked for.
  std::optional<duration> command_started;
  /// Refuse (invalid_input) to run with a warning that is known before anything runs.
  bool strict = false;
  /// Recorded with the run.
  run_cause cause;
  std::string key; ///< that it was asked for with, and of what
  digest key_request;
  /// Recorded with the run, which is ended so long after its start by whoever keeps a queue; 0: never.
  duration timeout{0};
  /// Go on where it cannot be known whether a run that died left commands running (in another PID namespace).
  bool assume_dead = false;
};

/// How a run ended. Its details are read with read_run_report.
struct run_result {
  run_number run;
  uuid id;
  run_status status = run_status::succeeded;
  status_counts counts{};
  std::vector<asset_index> failed;   ///< assets that failed, allowed or not
  timestamp started_at, finished_at; ///< of what this command did of it: a resumed run began earlier
};

/// Asks a live run to stop, from a signal handler or another thread. First request: gracefully; second: at once.
class stop_request {
public:
  /// Async-signal-safe. `signal` 0: the user cancelled.
  void request(int signal) noexcept;
  /// How many requests came, and the first one's signal.
  [[nodiscard]] int count() const noexcept { return count_.load(); }
  [[nodiscard]] int signal() const noexcept { return signal_.load(); }
  /// A descriptor that becomes readable at each request.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  /// Whether the second request is to end the process by itself (see second_request_ends).
  void end_at_second(bool on) noexcept { end_at_second_.store(on); }
  [[nodiscard]] bool ends_at_second() const noexcept { return end_at_second_.load(); }
  stop_request(); ///< throws std::system_error where there is no descriptor left
  ~stop_request();
  stop_request(const stop_request&) = delete;
  stop_request& operator=(const stop_request&) = delete;

private:
  std::atomic<int> count_{0};
  std::atomic<int> signal_{0};
  std::atomic<bool> end_at_second_{false};
  int fd_ = -1;
};

/// Brings the selection up to date. Creates the state if there is none. Errors: invalid_input (selection),
/// state_locked, state_unusable (also when the journal fails during the run: then the run shows as interrupted). A
/// failed run is not an error.
[[nodiscard]] result<run_result> run_pipeline(const project& on, const run_options& options, run_observer& observer,
                                              stop_request& stop);
/// What else is asked for than when the run was started. Not recorded: it holds until the run ends or is resumed again.
struct resume_options {
  std::optional<std::uint32_t> workers{};
  std::optional<troupe_internal::error_strategy> error_strategy{};
  bool assume_dead = false; ///< as in run_options
};
/// Continues an interrupted, failed or cancelled run as the same run. `on` must have been opened with the run's
/// recorded params (see recorded_request). invalid_input if the run cannot be resumed or definitions changed (listing
/// them).
[[nodiscard]] result<run_result> resume_run(const project& on, run_number run, const resume_options& options,
                                            run_observer& observer, stop_request& stop);

/// What would run. No state is made, nothing is written.
[[nodiscard]] result<plan_report> plan_pipeline(const project& on, const run_options& options);
/// Freshness and last materialization of the selected assets, in topological order. `warnings`, if not null, gets what
/// a plan of them would warn of.
[[nodiscard]] result<std::vector<asset_status_report>> asset_statuses(const project& on,
                                                                      const std::vector<std::string>& selection,
                                                                      std::vector<asset_warning>* warnings = nullptr);

/// "#42", "42", an id, a unique prefix of one, "latest". not_found names what there is.
[[nodiscard]] result<run_record> find_run(const std::string& state_folder, const std::string& name);
/// Newest first, queued runs included; status derived (queued, interrupted). An absent state is an empty history. limit
/// 0: all.
[[nodiscard]] result<std::vector<run_record>> list_runs(const std::string& state_folder, std::size_t limit);
/// A run whole: live, ended or interrupted.
[[nodiscard]] result<run_report> read_run_report(const std::string& state_folder, run_number run,
                                                 report_detail detail = report_detail::last_attempts);

/// What the state remembers of an asset whose runs may no longer be kept.
struct remembered_asset {
  std::string pipeline;
  asset_record record;
};
/// By its name, of this pipeline (empty: of any). nullopt: the state knows none.
[[nodiscard]] result<std::optional<remembered_asset>>
remember_asset(const std::string& state_folder, const std::string& pipeline, const std::string& asset);

/// Where the log of an attempt is (whether or not it exists).
[[nodiscard]] std::string log_path(const std::string& state_folder, run_number run, std::string_view asset_name,
                                   std::uint32_t attempt);

/// Asks the live run's supervisor to stop it, and waits until it has; or takes a run off the queue. not_found if no
/// such run is live or queued.
[[nodiscard]] result<run_record> cancel_run(const std::string& state_folder, const std::optional<std::string>& name);

struct state_compaction {
  std::uint64_t events_dropped = 0;
  std::uint64_t runs_dropped = 0;
  std::uint64_t logs_dropped = 0; ///< folders, one a run
  std::uint64_t bytes_before = 0; ///< of the journal's file
  std::uint64_t bytes_after = 0;
};
/// Drops what `rule` and `keep_logs` let go, and shrinks the journal's file. Takes the lock. not_found without a state;
/// state_locked, state_unusable.
[[nodiscard]] result<state_compaction> compact_state(const std::string& state_folder, const retention_rule& rule,
                                                     duration keep_logs);

} // namespace troupe_internal
