// The engine: brings assets of pipelines up to date, remembers what it made, and goes on after a crash. Knows nothing
// of how pipelines are declared.
#pragma once

#include "troupe/reports.hpp"
#include "troupe/run.hpp"

namespace troupe {
inline namespace v1 {

enum class durability : std::uint8_t {
  pipelined = TROUPE_PIPELINED, ///< in order; the disk follows
  strict = TROUPE_STRICT,       ///< an asset starts once what it needs is on disk
  none = TROUPE_NOT_DURABLE     ///< for tests: a power loss may take all of it
};
/// What of the process's children an engine may deal with.
enum class children : std::uint8_t {
  none = TROUPE_CHILDREN_NONE,  ///< pipelines have no commands, and the process is left alone
  known = TROUPE_CHILDREN_KNOWN ///< commands are started, and the engine waits for those alone
};

struct engine_options {
  std::string state{};       ///< the folder that it keeps everything in; it is made if it is not there
  std::uint32_t workers = 0; ///< functions and commands at a time, over all runs; 0: the processors there are
  troupe::durability durability = durability::pipelined;
  troupe::children children = children::none;
  std::uint64_t memory_for_values = std::uint64_t{256} << 20U;
  std::uint64_t value_limit = std::uint64_t{4} << 30U; ///< bytes of one value
  /// A run that was resumed so often after crashes, and in which nothing came to an end since, is given up: a function
  /// that kills the process does not do so for ever.
  std::uint32_t most_resumptions = 3;
  std::uint32_t keep_runs = 1'000; ///< how many runs of a pipeline the history has
  /// A function that was asked to stop, and has not returned so much later, is named in the log.
  duration warn_unstopped = std::chrono::seconds(10);
  /// For tests (see <troupe/testing.hpp>): the process ends, as by a crash, with this exit status when so many
  /// transactions are on disk; 0: never.
  std::uint64_t test_exit_after = 0;
  std::uint64_t test_exit_after_calls = 0; ///< likewise when so many functions have returned, before that is recorded
  int test_exit_status = 1;
  /// Gets lines for people, on any thread; it must not throw, and not call the engine.
  void (*log)(void* state, int level, std::string_view line) = nullptr;
  void* log_state = nullptr;
};

struct run_options {
  std::vector<std::string> select{}, exclude{}; ///< as `troupe run` takes them; none: everything
  bool only = false, force = false;
  std::vector<std::pair<std::string, std::string>> params{};
  /// The same key: the same run, even after a restart.
  std::string key{};
};

/// What becomes of runs that were open when the last engine of this state ended.
enum class on_restart : std::uint8_t {
  resume = TROUPE_RESUME,                   ///< those whose definitions have changed stay open
  resume_or_rerun = TROUPE_RESUME_OR_RERUN, ///< those start again
  abandon = TROUPE_ABANDON                  ///< all are cancelled
};
enum class recovery : std::uint8_t {
  resumed = TROUPE_RESUMED,
  rerun = TROUPE_RERUN,
  abandoned = TROUPE_ABANDONED,
  left = TROUPE_LEFT ///< open, as it was
};
struct recovered {
  std::uint64_t number = 0; ///< of the run that was open
  recovery what = recovery::left;
  std::optional<troupe::run> run{}; ///< what goes on
  std::string reason{};             ///< why it was not resumed
};

/// Something that happened outside; a pipeline that was declared with pipeline::on() starts a run for it.
struct notice {
  std::string name{}; ///< EVENT, or PIPELINE/EVENT
  std::string key{};  ///< the same key: the same event, for 90 days
  std::string json{}; ///< what comes with it: functions read it in context::events_file()
  std::vector<std::pair<std::string, std::string>> params{}; ///< of the run
};
struct receipt {
  std::uint64_t event = 0;                     ///< its number
  std::optional<std::uint64_t> duplicate_of{}; ///< the event that had the key first
  std::optional<troupe::run> run{};            ///< nothing: it is no longer in the history
};

/// open(), then add(), then recover(), then start(). Any thread. Declare it after what its functions refer to.
class engine {
public:
  /// Locks the state and reads it. Nothing runs yet.
  [[nodiscard]] static result<engine> open(const engine_options& how) {
    // The line goes through a function of the host's own, so that the library need not know std::string_view.
    auto log = std::make_unique<log_target>(log_target{how.log, how.log_state});
    troupe_engine_options to{};
    to.size = sizeof to;
    to.version = TROUPE_HEADER_VERSION;
    to.state = detail::text(how.state);
    to.workers = how.workers;
    to.durability = static_cast<std::uint8_t>(how.durability);
    to.children = static_cast<std::uint8_t>(how.children);
    to.memory_for_values = how.memory_for_values;
    to.value_limit = how.value_limit;
    to.most_resumptions = how.most_resumptions;
    to.keep_runs = how.keep_runs;
    to.warn_unstopped = how.warn_unstopped.count();
    to.test_exit_after = how.test_exit_after;
    to.test_exit_after_calls = how.test_exit_after_calls;
    to.test_exit_status = how.test_exit_status;
    if (how.log != nullptr) {
      to.log = [](void* state, std::int32_t level, troupe_text line) {
        const auto& target = *static_cast<const log_target*>(state);
        target.log(target.state, level, detail::view(line));
      };
      to.log_state = log.get();
    }
    troupe_engine* in = nullptr;
    if (auto* const why = troupe_engine_open(&to, &in))
      return detail::take_error(why);
    return engine(in, std::move(log));
  }
  engine(engine&& from) noexcept : in_(std::exchange(from.in_, nullptr)), log_(std::move(from.log_)) {}
  engine& operator=(engine&& from) noexcept {
    std::swap(in_, from.in_);
    std::swap(log_, from.log_);
    return *this;
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// Asks functions to stop and waits for them, however long that takes. Runs that are open stay so, for recover().
  ~engine() { troupe_engine_release(in_); }

  /// Another handle of the same engine. It does not keep the engine: once the one that opened it is destroyed, calls
  /// with this one answer shutting_down.
  [[nodiscard]] engine share() const { return engine(troupe_engine_share(in_), nullptr); }

  /// A pipeline of the same name takes the place of the earlier one, for later runs.
  result<void> add(const pipeline& what) { return detail::done(troupe_engine_add(in_, what.handle())); }
  /// Once, after all add() and before any start().
  result<std::vector<recovered>> recover(on_restart policy = on_restart::resume_or_rerun) {
    std::vector<recovered> all;
    const auto collect = [](void* state, const troupe_recovered* from) {
      recovered one{from->number, static_cast<recovery>(from->what), std::nullopt, detail::string(from->reason)};
      if (from->run != nullptr) {
        troupe_run_retain(from->run);
        one.run = run(from->run);
      }
      static_cast<std::vector<recovered>*>(state)->push_back(std::move(one));
    };
    if (auto* const why = troupe_engine_recover(in_, static_cast<std::uint32_t>(policy), collect, &all))
      return detail::take_error(why);
    return all;
  }
  /// The run is on disk when this returns.
  [[nodiscard]] result<run> start(std::string_view pipeline, const run_options& how = {}) {
    run_views views(how);
    troupe_run* in = nullptr;
    if (auto* const why = troupe_engine_start(in_, detail::text(pipeline), views.get(), &in))
      return detail::take_error(why);
    return run(in);
  }
  /// A run that failed, was cancelled or interrupted goes on.
  [[nodiscard]] result<run> resume(std::uint64_t number) {
    troupe_run* in = nullptr;
    if (auto* const why = troupe_engine_resume(in_, number, &in))
      return detail::take_error(why);
    return run(in);
  }
  /// A run of this engine or of an earlier one.
  [[nodiscard]] result<run> find(std::uint64_t number) {
    troupe_run* in = nullptr;
    if (auto* const why = troupe_engine_find(in_, number, &in))
      return detail::take_error(why);
    return run(in);
  }
  /// What a run would do, and why: assets that are not fresh.
  [[nodiscard]] result<std::vector<asset_report>> plan(std::string_view pipeline, const run_options& how = {}) const {
    run_views views(how);
    std::vector<asset_report> all;
    if (auto* const why = troupe_engine_plan(in_, detail::text(pipeline), views.get(), &run::collect, &all))
      return detail::take_error(why);
    return all;
  }
  /// All assets of a pipeline, as they stand.
  [[nodiscard]] result<std::vector<asset_report>> status(std::string_view pipeline) const {
    std::vector<asset_report> all;
    if (auto* const why = troupe_engine_status(in_, detail::text(pipeline), &run::collect, &all))
      return detail::take_error(why);
    return all;
  }
  /// The value that the asset last handed on, fresh or not. not_materialized, value_unreadable.
  template <storable T>
  [[nodiscard]] result<value<T>> latest(asset<T> of) const {
    troupe_value in{};
    troupe_value_info from{};
    from.size = sizeof from;
    if (auto* const why = troupe_engine_latest(in_, of.handle(), &detail::type_of<T>, &in, &from))
      return detail::take_error(why);
    return value<T>(static_cast<const detail::held<T>*>(in.object),
                    {from.run, from.attempt,
                     std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(from.made_at)),
                     from.version, from.bytes});
  }
  /// An asset without a value has none.
  template <class T>
  requires(!storable<T>) void latest(asset<T>) const {
    static_assert(detail::can_be_handed_on<T>() && !std::is_void_v<T>, "troupe: this asset hands on no value");
  }
  /// What a run that starts now would do with an asset, and why; what made it last; its last attempt. not_found.
  [[nodiscard]] result<explanation> explain(std::string_view pipeline, std::string_view asset) const {
    explanation to;
    if (auto* const why =
            troupe_engine_explain(in_, detail::text(pipeline), detail::text(asset), &detail::explained, &to))
      return detail::take_error(why);
    return to;
  }
  [[nodiscard]] result<explanation> explain(const any_asset& asset) const {
    explanation to;
    if (auto* const why = troupe_engine_explain_asset(in_, asset.handle(), &detail::explained, &to))
      return detail::take_error(why);
    return to;
  }
  /// The runs that executed an asset, newest first, as far as they are kept.
  [[nodiscard]] result<std::vector<execution>> history(std::string_view pipeline, std::string_view asset,
                                                       page which = {}) const {
    std::vector<execution> all;
    if (auto* const why = troupe_engine_history(in_, detail::text(pipeline), detail::text(asset), which.before,
                                                which.limit, &detail::executed, &all))
      return detail::take_error(why);
    return all;
  }
  [[nodiscard]] result<std::vector<execution>> history(const any_asset& asset, page which = {}) const {
    std::vector<execution> all;
    if (auto* const why =
            troupe_engine_history_asset(in_, asset.handle(), which.before, which.limit, &detail::executed, &all))
      return detail::take_error(why);
    return all;
  }
  /// The functions that are being called now, the one that began first at the front.
  [[nodiscard]] result<std::vector<call_report>> calls() const {
    std::vector<call_report> all;
    if (auto* const why = troupe_engine_calls(in_, &detail::called, &all))
      return detail::take_error(why);
    return all;
  }
  /// What is wrong with the state, a line each; empty: nothing. Checks every record, every projection against a replay,
  /// and every value in a file: slow for a large state.
  [[nodiscard]] result<std::vector<std::string>> verify() const {
    std::vector<std::string> all;
    const auto collect = [](void* state, troupe_text line) {
      static_cast<std::vector<std::string>*>(state)->push_back(detail::string(line));
    };
    if (auto* const why = troupe_engine_verify(in_, collect, &all))
      return detail::take_error(why);
    return all;
  }
  /// Events of this state.
  [[nodiscard]] result<subscription> events(event_options which = {}) const {
    troupe_events_options to{};
    to.size = sizeof to;
    to.no_progress = which.progress ? 0 : 1;
    to.from = which.from;
    to.run = which.run;
    troupe_events* in = nullptr;
    if (auto* const why = troupe_engine_events(in_, &to, &in))
      return detail::take_error(why);
    return subscription(in);
  }
  /// The event and the run that it starts are on disk when this returns. not_found: no pipeline has such an event;
  /// key_conflict: the key was used for an event that says something else.
  result<receipt> notify(const notice& what) {
    std::vector<troupe_pair> params;
    for (const auto& [name, value] : what.params)
      params.push_back({detail::text(name), detail::text(value)});
    troupe_notice to{};
    to.size = sizeof to;
    to.name = detail::text(what.name);
    to.key = detail::text(what.key);
    to.json = detail::text(what.json);
    to.params = params.data();
    to.param_count = params.size();
    troupe_receipt from{};
    from.size = sizeof from;
    if (auto* const why = troupe_engine_notify(in_, &to, &from))
      return detail::take_error(why);
    receipt got;
    got.event = from.event;
    if (from.duplicate_of != 0)
      got.duplicate_of = from.duplicate_of;
    if (from.run != nullptr)
      got.run = run(from.run);
    return got;
  }
  /// Starts nothing more, asks functions to stop, waits for them so long. Runs that are open stay so. still_running
  /// names the functions that have not returned.
  result<void> shutdown(duration grace) {
    return detail::done(troupe_engine_shutdown(in_, grace.count() < 0 ? 0 : grace.count()));
  }

private:
  struct log_target {
    void (*log)(void*, int, std::string_view);
    void* state;
  };
  class run_views {
  public:
    explicit run_views(const run_options& from) {
      to_.size = sizeof to_;
      to_.only = from.only ? 1 : 0;
      to_.force = from.force ? 1 : 0;
      to_.key = detail::text(from.key);
      for (const auto& one : from.select)
        select_.push_back(detail::text(one));
      for (const auto& one : from.exclude)
        exclude_.push_back(detail::text(one));
      for (const auto& [name, value] : from.params)
        params_.push_back({detail::text(name), detail::text(value)});
      to_.select = select_.data();
      to_.select_count = select_.size();
      to_.exclude = exclude_.data();
      to_.exclude_count = exclude_.size();
      to_.params = params_.data();
      to_.param_count = params_.size();
    }
    run_views(const run_views&) = delete;
    run_views& operator=(const run_views&) = delete;
    [[nodiscard]] const troupe_run_options* get() const { return &to_; }

  private:
    troupe_run_options to_{};
    std::vector<troupe_text> select_{}, exclude_{};
    std::vector<troupe_pair> params_{};
  };

  engine(troupe_engine* in, std::unique_ptr<log_target> log) noexcept : in_(in), log_(std::move(log)) {}
  troupe_engine* in_;
  std::unique_ptr<log_target> log_;
};

/// The version of the library that was loaded, as TROUPE_HEADER_VERSION has that of the headers.
[[nodiscard]] inline std::uint32_t library_version() noexcept {
  return troupe_version();
}

} // namespace v1
} // namespace troupe
