// The port to the work on one asset: finding out whether it is fresh, and making it. Knows nothing of order, retries or
// the journal.
#pragma once

#include "base/strong_id.hpp"
#include "core/model/event.hpp"
#include "core/model/materialization.hpp"
#include "core/model/reason.hpp"
#include "ports/process_executor.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// What an asset is made from, as of the moment it was ready.
struct examination {
  std::optional<std::string> impossible; ///< it cannot be made, and why (an input is missing, …)
  std::vector<reason> reasons;           ///< none: it is fresh
  std::vector<path_id> absent_outputs;   ///< see asset_record; sorted
  std::vector<attempt_warning> warnings; ///< without those that the asset ignores
};

/// How an attempt went.
struct execution {
  outcome_kind outcome = outcome_kind::succeeded;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string message;
  bool has_log = false;
  std::optional<resource_use> resources; ///< see process_exit
  std::optional<production> made;        ///< exactly when outcome is succeeded
  duration took{};                       ///< of the process alone
  std::vector<attempt_warning> warnings; ///< recorded with the attempt; without those that the asset ignores
  std::vector<asset_index> makers;       ///< on success: other assets that make inputs which the attempt discovered
  bool made_before = false;              ///< skipped: what was made before is of use
};

/// What an examination needs to know about the assets that its asset depends on.
struct upstream_view {
  std::vector<digest> versions;    ///< data versions of asset_spec::deps, in their order
  std::vector<asset_index> failed; ///< upstreams that failed and were allowed to: their outputs may be missing
};

/// Calls come from any thread and never block for long; callbacks come on a thread of the executor, or within the call,
/// and must not block. For one asset, examine and execute do not overlap.
class asset_executor {
public:
  virtual ~asset_executor() = default; ///< ends what runs at once and waits for it

  /// Takes the fingerprint and judges it. `done` exactly once.
  virtual void examine(asset_index asset, upstream_view upstreams, std::function<void(examination)> done) = 0;
  /// Makes the asset that was examined last. `spawned` at most once, before `done`; `done` exactly once.
  virtual void execute(asset_index asset, std::uint32_t attempt, std::function<void(process_spawned)> spawned,
                       std::function<void(execution)> done) = 0;
  /// Whether the inputs that a successful attempt discovered, and that other assets make, are as they were before it
  /// began: after all of those assets are settled. Then `done`, exactly once. No examine() in between.
  virtual void check_discovered(asset_index asset, std::uint32_t attempt, std::function<void(bool)> done) = 0;
  /// Reads again what was read too soon after its last change to be trusted, so that the next run need not; then
  /// `done`.
  virtual void settle(std::function<void()> done) = 0;
  /// Ends every attempt that runs; later execute() calls are answered with outcome cancelled.
  virtual void end_all(urgency how) = 0;
  /// What execute() made of the asset, as changes against its last materialization: for the journal. Valid after
  /// execution succeeded.
  [[nodiscard]] virtual materialized changes_made(asset_index asset, const execution& done) const = 0;
};

} // namespace troupe_internal
