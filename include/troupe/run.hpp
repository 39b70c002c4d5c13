// A run: its handle, and how it has ended. Knows nothing of how it is started.
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

} // namespace v1
} // namespace troupe
