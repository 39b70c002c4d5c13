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

/// How many runs that executed something are kept.
struct retention_rule {
  static constexpr std::uint32_t keep_by_default = 1000;
  /// Of the state as a whole.
  std::uint32_t keep_runs = keep_by_default;
  /// Of each of these pipelines, whatever the others do.
  std::map<std::string, std::uint32_t, std::less<>> of_pipeline;

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
/// kept. Kept are the runs down to the keep-th that executed something (those between that executed nothing are kept
/// with them), counted as the rule says, and open runs of the present writer. An open run of a writer that is gone is
/// history like any other: else one interrupted run that nobody resumes would keep the journal growing for ever.
class retention_bound {
public:
  /// `writer_seq`: of the last writer_opened.
  retention_bound(retention_rule rule, std::uint64_t writer_seq) : rule_(std::move(rule)), writer_seq_(writer_seq) {}

  void add(const run_record& run) {
    const bool live = !run.finished_at && run.segment_seq > writer_seq_;
    const auto named = rule_.of_pipeline.find(run.pipeline);
    const bool kept =
        named != rule_.of_pipeline.end() ? of_pipeline_[run.pipeline] < named->second : executed_ < rule_.keep_runs;
    if (kept || live)
      first_kept_ = std::min(first_kept_, run.first_seq);
    if (run.attempts == 0)
      return;
    ++executed_;
    if (named != rule_.of_pipeline.end())
      ++of_pipeline_[run.pipeline];
  }
  /// Events below this sequence number may go; all of them, if no run is kept.
  [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }

private:
  retention_rule rule_;
  std::uint64_t writer_seq_;
  std::uint64_t executed_ = 0; ///< of all pipelines
  std::map<std::string, std::uint64_t, std::less<>> of_pipeline_;
  std::uint64_t first_kept_ = std::numeric_limits<std::uint64_t>::max();
};

} // namespace troupe_internal
