// The engine: brings assets of pipelines up to date, remembers what it made, and goes on after a crash. Knows nothing
// of how pipelines are declared.
#pragma once

#include "troupe/pipeline.hpp"

namespace troupe {
inline namespace v1 {

enum class run_status : std::uint8_t {
  queued = TROUPE_RUN_QUEUED,
  running = TROUPE_RUN_RUNNING,
  succeeded = TROUPE_RUN_SUCCEEDED,
  failed = TROUPE_RUN_FAILED,
  cancelled = TROUPE_RUN_CANCELLED,
  interrupted = TROUPE_RUN_INTERRUPTED ///< open: a later engine recovers it
};
[[nodiscard]] constexpr const char* to_string(run_status status) noexcept {
  switch (status) {
  case run_status::queued:
    return "queued";
  case run_status::running:
    return "running";
  case run_status::succeeded:
    return "succeeded";
  case run_status::failed:
    return "failed";
  case run_status::cancelled:
    return "cancelled";
  case run_status::interrupted:
    return "interrupted";
  }
  return "unknown";
}

/// How a run has ended.
struct report {
  std::uint64_t number = 0;
  run_status status = run_status::running;
  duration took{};
  std::uint32_t fresh = 0, succeeded = 0, failed = 0, blocked = 0, cancelled = 0; ///< assets
};

/// One asset: in a run, in a plan, or as it stands.
struct asset_report {
  std::string name{};
  std::string status{};
  std::string error{};
  std::string data_version{};
  std::uint32_t attempts = 0;
  duration took{};
  std::vector<std::string> reasons{}; ///< why it ran, or would run
};

/// A handle of a run. Copies are of the same; dropping it neither cancels the run nor waits. Any thread.
class run {
public:
  run(const run& from) noexcept : in_(from.in_) { troupe_run_retain(in_); }
  run(run&& from) noexcept : in_(std::exchange(from.in_, nullptr)) {}
  run& operator=(run from) noexcept {
    std::swap(in_, from.in_);
    return *this;
  }
  ~run() { troupe_run_release(in_); }

  [[nodiscard]] std::uint64_t number() const noexcept { return troupe_run_number(in_); }
  [[nodiscard]] std::string_view id() const noexcept { return detail::view(troupe_run_id(in_)); }
  [[nodiscard]] run_status status() const noexcept { return static_cast<run_status>(troupe_run_status(in_)); }
  /// Waits for its end. An error unless it has succeeded: run_failed with the assets that failed, cancelled,
  /// interrupted; would_deadlock in a function of the engine.
  [[nodiscard]] result<report> wait() const { return succeeded(-1); }
  /// timed_out: it goes on.
  [[nodiscard]] result<report> wait_for(duration at_most) const {
    return succeeded(at_most.count() < 0 ? 0 : at_most.count());
  }
  /// Waits for its end, and says how it ended, whatever that is.
  [[nodiscard]] result<report> outcome() const { return ended(-1); }
  /// Functions are asked to stop, commands ended (`at_once`: killed).
  result<void> cancel(bool at_once = false) const { return detail::done(troupe_run_cancel(in_, at_once ? 1 : 0)); }
  /// All of its assets, as they stand now.
  [[nodiscard]] result<std::vector<asset_report>> assets() const {
    std::vector<asset_report> all;
    if (auto* const why = troupe_run_assets(in_, &collect, &all))
      return detail::take_error(why);
    return all;
  }

private:
  friend class engine;
  explicit run(troupe_run* in) noexcept : in_(in) {}

  [[nodiscard]] result<report> ended(std::int64_t at_most) const {
    troupe_run_report from{};
    from.size = sizeof from;
    if (auto* const why = troupe_run_wait(in_, at_most, &from))
      return detail::take_error(why);
    return report{from.number,         static_cast<run_status>(from.status),
                  duration(from.took), from.fresh,
                  from.succeeded,      from.failed,
                  from.blocked,        from.cancelled};
  }
  [[nodiscard]] result<report> succeeded(std::int64_t at_most) const {
    auto how = ended(at_most);
    if (!how || how->status == run_status::succeeded)
      return how;
    error why{how->status == run_status::failed      ? errc::run_failed
              : how->status == run_status::cancelled ? errc::cancelled
                                                     : errc::interrupted,
              "run #" + std::to_string(how->number) + " has " +
                  (how->status == run_status::failed ? "failed" : std::string("been ") + to_string(how->status)),
              {}};
    if (const auto all = assets())
      for (const auto& one : *all)
        if (one.status == "failed")
          why.found.push_back({"failed", one.error, one.name, {}, 0, 0});
    return why;
  }
  static std::int32_t collect(void* state, const troupe_asset_report* from) {
    asset_report one{detail::string(from->name),
                     detail::string(from->status),
                     detail::string(from->error),
                     detail::string(from->data_version),
                     from->attempts,
                     duration(from->took),
                     {}};
    for (std::size_t i = 0; i < from->reason_count; ++i)
      one.reasons.push_back(detail::string(from->reasons[i]));
    static_cast<std::vector<asset_report>*>(state)->push_back(std::move(one));
    return 0;
  }
  troupe_run* in_;
};

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
