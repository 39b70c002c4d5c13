// Which events may be folded into the base: a rule over runs. Knows nothing of how events are stored or dropped.
#pragma once

#include "core/model/run_record.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace troupe_internal {

/// Bounds on the history of a state whose writer stays up. What lies beyond one of them may go, however many runs are
/// to be kept; but not the events of runs that have not ended: they live, or are to be resumed.
struct history_limits {
  timestamp oldest;                                                    ///< what ended before
  std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max(); ///< of events as they are stored
};

/// How many runs that executed something are kept. Runs that executed nothing are kept beside them, ten times as many.
struct retention_rule {
  static constexpr std::uint32_t keep_by_default = 1000;
  static constexpr std::uint64_t idle_for_each = 10;
  /// Of the state as a whole.
  std::uint32_t keep_runs = keep_by_default;
  /// Of each of these pipelines, whatever the others do.
  std::map<std::string, std::uint32_t, std::less<>> of_pipeline;
  std::optional<history_limits> limits{};
  /// Told the newest event, says from which one on events stay for somebody who reads them, unless limits are reached;
  /// empty: nobody does.
  std::function<std::uint64_t(std::uint64_t newest)> first_wanted{};

  retention_rule() = default;
  retention_rule(std::uint32_t keep) : keep_runs(keep) {} // NOLINT(google-explicit-constructor): a number is a rule
  /// What one pipeline's settings ask for. Of the others that share its state nothing is known: their runs stay while
  /// they are among those that a state keeps by default.
  retention_rule(std::string_view pipeline, std::uint32_t keep) { of_pipeline.emplace(pipeline, keep); }
};

/// The run whose record begins with this event: without the event it cannot be shown.
[[nodiscard]] inline std::optional<run_number> run_shown_from(const event& e) {
  if (const auto* started = std::get_if<run_started>(&e))
    return started->run;
  if (const auto* dequeued = std::get_if<run_dequeued>(&e))
    return dequeued->run;
  return std::nullopt;
}

/// Fed all runs, newest first, finds the event before which everything may go: the first of the oldest run that is
/// kept. Kept are the newest runs, as many as the rule says: of those that executed something and of those that
/// executed nothing, each counted among its kind. Open runs of the present writer are kept, too. An open run of a
/// writer that is gone is history like any other: else one interrupted run that nobody resumes would keep the journal
/// growing for ever. With limits it is kept, for whoever sets limits resumes or ends it.
class retention_bound {
public:
  /// `writer_seq`: of the last writer_opened.
  retention_bound(retention_rule rule, std::uint64_t writer_seq) : rule_(std::move(rule)), writer_seq_(writer_seq) {}

  void add(const run_record& run) {
    const auto named = rule_.of_pipeline.find(run.pipeline);
    auto& counted = named != rule_.of_pipeline.end() ? of_pipeline_[run.pipeline] : all_;
    const auto keep = named != rule_.of_pipeline.end() ? named->second : rule_.keep_runs;
    bool kept = counted.executed < keep && counted.idle < retention_rule::idle_for_each * keep;
    if (rule_.limits && run.finished_at)
      kept = kept && *run.finished_at >= rule_.limits->oldest;
    const bool lives = !run.finished_at && (rule_.limits || run.segment_seq > writer_seq_);
    if (kept || lives) {
      first_kept_ = std::min(first_kept_, run.first_seq);
      oldest_kept_ = std::min(oldest_kept_.value_or(run.run), run.run);
    }
    if (lives)
      first_open_ = std::min(first_open_, run.first_seq);
    for (auto* count : {&all_, named != rule_.of_pipeline.end() ? &counted : nullptr})
      if (count != nullptr)
        ++(run.attempts > 0 ? count->executed : count->idle);
  }
  /// Events below this sequence number may go; all of them, if no run is kept.
  [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }
  /// The lowest number of a run that is kept. What triggers took in for it, and for later ones, is kept with it.
  [[nodiscard]] std::optional<run_number> oldest_kept() const { return oldest_kept_; }
  /// Events below this one may go where there are more bytes than the limits allow.
  [[nodiscard]] std::uint64_t first_open() const { return first_open_; }

private:
  struct counts {
    std::uint64_t executed = 0;
    std::uint64_t idle = 0;
  };
  retention_rule rule_;
  std::uint64_t writer_seq_;
  counts all_;
  std::map<std::string, counts, std::less<>> of_pipeline_;
  std::uint64_t first_kept_ = std::numeric_limits<std::uint64_t>::max();
  std::optional<run_number> oldest_kept_;
  std::uint64_t first_open_ = std::numeric_limits<std::uint64_t>::max();
};

} // namespace troupe_internal
