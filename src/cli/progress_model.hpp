// What a run looks like from outside at a moment: counts, what runs, lines to show. A fold over the observer's calls;
// knows nothing of threads, terminals or clocks (moments are handed in, from a clock that never goes back).
#pragma once

#include "core/pipeline/pipeline.hpp"
#include "ports/run_observer.hpp"
#include "views/console.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::cli {

/// How lines and blocks are drawn.
struct progress_style {
  palette colours;
  bool unicode = false;
  bool every_asset = true;         ///< a line for each asset that ends; else only for failures, retries and warnings
  std::optional<duration> since{}; ///< when the command started, by the clock of the moments; none: when the run began
};

/// What the summary after a run tells beyond the run's own counts.
struct progress_totals {
  std::uint32_t started = 0;   ///< attempts
  std::uint32_t printed = 0;   ///< succeeded and wrote output
  std::uint32_t unchanged = 0; ///< succeeded with the data version they had
  std::uint32_t spared = 0;    ///< planned as maybe, found fresh: early cut-off
  std::uint32_t given_up = 0;  ///< failed, and not tried again as they were to be, because the run stopped
};

/// One thread at a time.
class progress_model {
public:
  progress_model(const pipeline& p, progress_style style);

  void run_began(const run_outline& outline, duration now);
  void attempt_began(asset_index asset, std::uint32_t attempt, duration expected, duration now);
  void attempt_ended(asset_index asset, const attempt_end& end, duration now);
  void asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view message = {});
  void run_stopping(stop_cause cause);
  void line(std::string_view text);
  /// Nothing more comes: a line for all that was not started.
  void close();

  /// The lines that came up since the last call, each ended; they stay on the screen.
  [[nodiscard]] std::string take_lines();
  [[nodiscard]] bool has_lines() const { return !lines_.empty(); }
  /// The block that is repainted: its lines, each at most columns - 1 wide (escape sequences aside), at most `rows`.
  [[nodiscard]] std::vector<std::string> block(duration now, terminal_size size) const;
  /// How much longer the run takes, from past durations; nullopt: unknown.
  [[nodiscard]] std::optional<duration> remaining(duration now) const;
  [[nodiscard]] const progress_totals& totals() const { return totals_; }

private:
  struct running_attempt {
    asset_index asset;
    std::uint32_t attempt = 1;
    duration since{};
    duration expected{};
  };
  struct waiting_retry {
    asset_index asset;
    std::uint32_t next_attempt = 2;
    duration due{};
  };

  [[nodiscard]] std::string name(asset_index asset) const;
  [[nodiscard]] std::string headline(duration now, std::size_t columns) const;
  void end_line(asset_index asset, tint colour, const std::string& what);
  void settled_line(asset_index asset, tint colour, const std::string& what);

  const pipeline& p_;
  progress_style style_;
  run_outline outline_;
  duration began_{};
  std::vector<bool> counted_; // by asset: its end is in finished_
  std::uint32_t to_do_ = 0, finished_ = 0, failed_ = 0, succeeded_ = 0, blocked_ = 0, cancelled_ = 0;
  std::vector<running_attempt> running_; // in order of start
  std::vector<waiting_retry> retrying_;
  std::optional<stop_cause> stopping_;
  progress_totals totals_;
  std::string lines_;
  std::uint32_t not_run_lines_ = 0;      // lines about assets that were blocked
  std::vector<std::string> not_started_; // the first of them
  std::size_t not_started_in_all_ = 0;
};

} // namespace troupe_internal::cli
