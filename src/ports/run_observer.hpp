// The port through which a run tells what is going on, for people to watch. Knows nothing of terminals.
#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/asset_status.hpp"
#include "core/model/event.hpp"
#include "core/model/reason.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// What a run is about to do, as planned.
struct run_outline {
  run_number run;
  uuid id;
  std::uint32_t assets = 0; ///< in the run
  std::uint32_t fresh = 0;  ///< of these, fresh from the start
  std::uint32_t workers = 0;
  troupe_internal::error_strategy error_strategy = troupe_internal::error_strategy::fail_fast;
  duration estimated{}; ///< of all work that may run, from past durations, with this many workers; 0: unknown
};

/// How one attempt ended.
struct attempt_end {
  std::uint32_t attempt = 0;
  outcome_kind outcome = outcome_kind::succeeded;
  std::string_view message; ///< empty on success
  bool changed = true;      ///< on success: the data version differs from the last one
  bool allowed_to_fail = false;
  std::string_view log_file; ///< empty: no output
  duration took{};
  std::optional<duration> retry_in; ///< another attempt follows
};

/// All calls come from one thread at a time, in the order of the journal, each quickly followed by the next:
/// implementations must not block. Names are those of the pipeline; indices are into it.
class run_observer {
public:
  virtual ~run_observer() = default;
  virtual void run_began(const run_outline& outline) = 0;
  virtual void attempt_began(asset_index asset, std::uint32_t attempt, const std::vector<reason>& reasons,
                             duration expected) = 0;
  virtual void attempt_ended(asset_index asset, const attempt_end& end) = 0;
  /// The asset has its final status (once per asset of the run that was not fresh from the start). `message`: why it
  /// failed without an attempt, or why an asset outside the run blocks it; else empty.
  virtual void asset_settled(asset_index asset, asset_status status, asset_index because, std::string_view message) = 0;
  virtual void run_stopping(stop_cause cause) = 0;
  /// A warning about an asset, before it runs (a glob that matches nothing) or of an attempt (its log is cut).
  virtual void warned(asset_index asset, const attempt_warning& warning) = 0;
  /// Something that was done before the run began (a file was removed), for people.
  virtual void noted(std::string_view /*text*/) {}
  /// What an earlier run had left running was ended before this one began, or was refused.
  virtual void leftovers_ended(const std::vector<ended_process>& /*processes*/) {}
};

} // namespace troupe_internal
