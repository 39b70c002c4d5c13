// What commands tell about plans, assets and runs: plain values, ready to print. Knows nothing of printing.
#pragma once

#include "core/model/event.hpp"
#include "core/model/run_record.hpp"
#include "core/model/warning.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

enum class plan_action : std::uint8_t {
  fresh, ///< needs no run
  maybe, ///< depends on something that runs: early cut-off can spare it
  run,   ///< stale now
};

/// One asset's place in a plan.
struct planned_asset {
  plan_action action = plan_action::fresh;
  std::vector<reason> reasons; ///< run: why; maybe: upstream_changed with the assets that may change
};

/// What would run, in topological order. `assets` is parallel to `order`.
struct plan_report {
  std::vector<asset_index> order; ///< the selection, topologically
  std::vector<planned_asset> assets;
  std::vector<asset_warning> warnings; ///< globs that match nothing, …
};

/// What is known of an asset now.
struct asset_status_report {
  asset_index asset;
  bool fresh = false; ///< a run now would not execute it
  plan_action action = plan_action::fresh;
  std::vector<reason> reasons;
  asset_record record; ///< last materialization and last attempt
};

/// How an asset is now, in one word.
enum class asset_standing : std::uint8_t { fresh, maybe, stale, running, failed };

/// A failure is more than a reason to run: it says that what is there is not what the asset should have made.
[[nodiscard]] constexpr asset_standing standing_of(attempt_state last_attempt, plan_action action) {
  if (last_attempt == attempt_state::running)
    return asset_standing::running;
  if (last_attempt == attempt_state::failed && action == plan_action::run)
    return asset_standing::failed;
  return action == plan_action::run     ? asset_standing::stale
         : action == plan_action::maybe ? asset_standing::maybe
                                        : asset_standing::fresh;
}

/// A warning of one of an asset's attempts.
struct told_warning {
  std::uint32_t attempt = 0;
  attempt_warning what;
};

/// What an asset waited for, with its name: an asset's, a run's ("#41"), a pool's; empty for a worker.
struct told_wait {
  wait_kind what = wait_kind::asset;
  std::string name;
  std::uint64_t ms = 0;
  friend bool operator==(const told_wait&, const told_wait&) = default;
};

/// One attempt of an asset in a run.
struct attempt_in_run {
  std::uint32_t attempt = 0;
  timestamp started_at;
  std::optional<timestamp> ended_at; ///< absent: it runs, or its supervisor died
  duration took{};                   ///< of the command; zero while ended_at is absent
  std::optional<outcome_kind> outcome;
  std::string error; ///< empty if all went well
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  bool has_log = false;
  std::optional<resource_use> resources;
  std::vector<told_wait> waits; ///< before it started
};

/// What is read of a run. A long run may have many attempts, so all of them only if a caller asks.
enum class report_detail : std::uint8_t { last_attempts, every_attempt };

/// What happened to one asset in one run.
struct asset_run_report {
  std::string name;     ///< without the pipeline
  std::string log_name; ///< what its logs are named after, if not its name (see core/pipeline/matrix_identity)
  asset_status status = asset_status::waiting;
  std::uint32_t attempts = 0;          ///< in this run, all segments
  duration took{};                     ///< of the last attempt; so far, if it runs
  std::optional<timestamp> started_at; ///< of the last attempt
  std::vector<reason> reasons;
  std::optional<digest> data_version;  ///< of what it produced, or of what was found fresh
  std::string reported_version;        ///< as reported by the asset; empty otherwise
  bool changed = false;                ///< succeeded with another data version than before
  std::optional<outcome_kind> outcome; ///< of the last attempt
  std::string error;    ///< what went wrong in the last attempt, or why it did not run; empty if all well
  bool allowed = false; ///< it failed, and the pipeline allowed it to
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  std::string metadata; ///< JSON object text or empty
  std::string because;  ///< blocked: the asset that blocks it
  bool has_log = false;
  std::uint32_t last_log_attempt = 0;       ///< the last attempt with output; 0: none
  std::vector<told_warning> warnings;       ///< of all attempts
  std::optional<resource_use> resources;    ///< of the last attempt, once it has ended; absent where unknown
  std::vector<told_wait> waits;             ///< before the last attempt, or before it was found fresh; in order
  std::optional<digest> definition;         ///< what it was to be executed with; absent: not recorded, or not asked for
  std::vector<attempt_in_run> each_attempt; ///< in order; empty unless every_attempt was asked for
};

/// One run whole.
struct run_report {
  report_detail detail = report_detail::last_attempts;
  run_record run;                                 ///< status is derived: interrupted where its writer is gone
  std::vector<asset_run_report> assets;           ///< in order of id: topological order of first appearance
  std::map<digest, asset_definition> definitions; ///< that assets name; empty unless every_attempt was asked for
};

/// Whether an asset failed and was waiting for its next attempt when the run ended: nothing tries it again.
[[nodiscard]] inline bool was_given_up(const asset_run_report& asset, run_status run) {
  const bool over = asset.status == asset_status::cancelled ||
                    (asset.status == asset_status::retrying && run == run_status::interrupted);
  return over && asset.attempts > 0 && asset.outcome && is_failure(*asset.outcome);
}

} // namespace troupe_internal
