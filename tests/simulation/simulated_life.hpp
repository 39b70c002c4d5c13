// One supervisor, from its birth to its end or death: real actors, and a driver that lets happen what may. Knows
// nothing of recovery.
#pragma once

#include "actors/wiring.hpp"
#include "core/journal/event_json.hpp"
#include "invariants.hpp"
#include "random_case.hpp"
#include "rare_paths.hpp"
#include "simulated_clock.hpp"
#include "simulated_executor.hpp"
#include "simulated_journal.hpp"
#include "step_log.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// What outlives a supervisor.
struct simulated_world {
  const random_case& on;
  seeded& random;
  rare_paths& paths;
  step_log& log;
  simulated_clock time;
  simulated_journal journal;
  process_world processes;
  std::vector<old_report> reports; ///< made in earlier lives
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
};

class simulated_life {
public:
  /// `first`: what is appended before all else; `state` already holds it. `quiet`: nothing befalls this one.
  simulated_life(simulated_world& world, run_state state, std::vector<event> first, bool quiet);
  ~simulated_life();
  simulated_life(const simulated_life&) = delete;
  simulated_life& operator=(const simulated_life&) = delete;

  /// Plays it. Whatever was not committed is still in the journal's hands.
  void play();
  /// Takes the actors down. Throws if one outlives it.
  void close();
  [[nodiscard]] bool crashed() const { return !end_; }

private:
  void spawn();
  void take_down();
  void step();
  bool may_stop();
  void commit(std::uint32_t appends);
  void advance();
  void set_clock();
  void report_again();
  void note_crash();
  [[nodiscard]] event_names asset_names() const;
  void check_end();
  void check(const std::function<void()>& what);

  simulated_world& world_;
  seeded& random_;
  rare_paths& paths_;
  const bool may_crash_, may_fail_;
  simulation_scheduler scheduler_;
  invariants invariants_;
  counting_observer observer_;
  simulated_executor work_;
  run_logic logic_;
  std::shared_ptr<gate> way_in_;
  run_actors actors_;
  std::optional<run_end> end_;
  std::optional<std::string> violation_;
  std::uint32_t crash_once_in_, stop_once_in_;
  const std::size_t found_; ///< events that were there before it
  std::uint32_t stops_ = 0;
  bool checked_ = false; ///< since the last message
};

} // namespace troupe_internal::test
