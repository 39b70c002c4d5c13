// When a queued run may start, besides its turn: its quiet time, its jitter, the throttle of its trigger, and the runs
// that live. Pure: moments are handed in, and are of a clock that never jumps. Knows no order of the queue (run_queue).
#pragma once

#include "base/time.hpp"
#include "core/model/event.hpp"
#include "core/model/trigger_event.hpp"
#include "core/schedule/run_queue.hpp"
#include "core/trigger/trigger.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Beside which other live runs a queued run of a trigger may start.
enum class trigger_overlap : std::uint8_t {
  own,      ///< beside none of its trigger
  pipeline, ///< beside none of its pipeline
  any,
};
struct start_rule {
  trigger_overlap beside = trigger_overlap::own;
  std::optional<throttle_rule> throttle;
};
/// By pipeline and trigger; what is not in it has the rule of start_rule{}.
using start_rule_map = std::map<std::pair<std::string, std::string>, start_rule>;
[[nodiscard]] start_rule start_rule_of(const trigger& of);

/// The conditions of a queued run on a clock that never jumps.
struct start_moments {
  duration quiet_until = duration::min();
  duration latest = duration::max(); ///< of quiet_until
  duration not_before = duration::min();
  duration expires = duration::max();
};
/// For a run that is queued now, or found in the queue by a new process: then its quiet time begins again, up to the
/// latest moment, which is the old one. `wall` and `steady` are the same moment. `queued`: when the run was, by the
/// wall clock; a clock that has been set back behind it since makes nothing wait for longer than it had to then.
[[nodiscard]] start_moments moments_of(const start_conditions& of, timestamp queued, timestamp wall, duration steady);
/// An event has joined the run.
void begin_quiet_again(start_moments& moments, const start_conditions& of, duration steady);

/// What holds a run up, as `queue --json` names it.
enum class start_hold : std::uint8_t { max_runs, overlap, throttle, debounce, clock, load, turn, journal, stopping };
[[nodiscard]] std::string_view to_string(start_hold what);
struct held_run {
  start_hold what = start_hold::turn;
  duration until = duration::max(); ///< when it may be otherwise though nothing happens; max(): never
  bool by_pipeline = false;         ///< overlap: the runs of its whole pipeline count
  throttle_rule throttle{};         ///< throttle: the rule
};

/// When the runs of triggers have started.
class start_ledger {
public:
  /// What the journal has of it: the newest ones. A start that seems to be in the future was now.
  void recall(const std::string& trigger, const std::vector<timestamp>& starts, timestamp wall, duration steady);
  void note(const std::string& trigger, duration steady);
  /// What was noted has not started after all.
  void forget(const std::string& trigger, duration steady);
  /// Until when no other run may start; min(): one may.
  [[nodiscard]] duration full_until(const std::string& trigger, const throttle_rule& rule, duration steady) const;

private:
  std::map<std::string, std::vector<duration>, std::less<>> starts_; ///< by "PIPELINE/NAME"; in order
};

/// What holds the run up, if anything does but its turn. `live`: all live runs, and those that are about to be.
[[nodiscard]] std::optional<held_run> held_back(const run_queued& what, const start_moments& moments,
                                                const start_rule_map& rules, std::span<const started_run> live,
                                                const start_ledger& starts, duration steady);
/// The same for people.
[[nodiscard]] std::string words_of(const held_run& held, const run_queued& what, duration steady);

} // namespace troupe_internal
