// One engine, from its opening to its end or death: plans, begins and drives runs, and lets happen what may. Knows
// nothing of recovery.
#pragma once

#include "core/schedule/admission.hpp"
#include "core/schedule/run_table.hpp"
#include "engine/events_before.hpp"
#include "engine/state_names.hpp"
#include "simulated_live_run.hpp"
#include "simulated_plan.hpp"
#include "simulated_state.hpp"
#include "simulation_scheduler.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

class simulated_engine {
public:
  /// `opening`: what is appended before all else. `quiet`: nothing befalls this one.
  simulated_engine(simulated_state& world, std::vector<event> opening, bool quiet);
  ~simulated_engine();
  simulated_engine(const simulated_engine&) = delete;
  simulated_engine& operator=(const simulated_engine&) = delete;

  /// Plays it, until it is closed, crashes, or its journal has failed.
  void play();
  /// When it plays no more: one run, alone, from its wish to its end; false: all was fresh.
  [[nodiscard]] bool run_alone(const run_wish& wish);
  /// In order: nothing lives.
  void close();
  /// Takes down what is left. Throws if an actor outlives it.
  void take_down();
  [[nodiscard]] bool crashed() const { return crashed_; }
  [[nodiscard]] bool failed() const { return world_.journal.failure().has_value(); }

private:
  /// A plan on its way.
  struct plan_job {
    run_wish wish;
    std::uint64_t mark = 0;
    std::uint64_t needs = 0;          ///< appends that are to be on disk before its snapshot
    std::optional<run_record> record; ///< of a run that is to go on, as of the snapshot
    run_state state;                  ///< likewise
    std::unique_ptr<simulated_plan> plan;
    bool judged = false;
  };
  struct renewal {
    run_number run;
    asset_index asset;
    std::uint64_t needs = 0;
  };
  enum class what : std::uint8_t { message, answer, commit, told, posted, renew, plan, begin, time, submit };

  // simulated_engine.cpp
  void step();
  void happen(what one, const std::vector<std::pair<simulated_live_run*, std::size_t>>& due);
  void befall();
  void commit(std::uint32_t appends);
  void advance();
  void cancel(bool at_once);
  void note_crash();
  void check_quiet();
  [[nodiscard]] bool may_submit() const;
  [[nodiscard]] std::optional<duration> next_time() const;
  [[nodiscard]] bool is_idle() const { return runs_.empty() && jobs_.empty() && !admitted_ && posted_.empty(); }
  void check(const std::function<void()>& rule);
  void stop_at_violation() const;

  // simulated_admission.cpp
  void submit(const run_wish& wish);
  [[nodiscard]] std::optional<run_number> to_resume();
  [[nodiscard]] bool can_plan(const plan_job& job) const;
  void plan_on(std::size_t job);
  void begin_planning(plan_job& job);
  void admit(plan_job job);
  [[nodiscard]] foreign_files shared_with_living(const simulated_plan& plan) const;
  [[nodiscard]] std::vector<asset_index> touched_since(std::uint64_t mark, const simulated_plan& plan,
                                                       const foreign_files& shared) const;
  void start(plan_job job, admitted_run made);
  void resume(plan_job job, admitted_run made);
  void begin();
  void run_is_gone(simulated_live_run& run);
  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable);
  [[nodiscard]] bool lives_anyone() const;
  [[nodiscard]] std::optional<run_number> held_by(simulated_live_run& run, asset_id asset, bool before_execution);

  simulated_state& world_;
  seeded& random_;
  state_paths& paths_;
  const bool quiet_;
  simulation_scheduler scheduler_;
  std::shared_ptr<state_names> names_;
  events_before before_;
  run_table others_;
  record_changes changes_;
  std::vector<std::unique_ptr<simulated_live_run>> runs_;
  std::vector<plan_job> jobs_;
  std::optional<admitted_run> admitted_; ///< and not begun: nobody else is admitted meanwhile
  std::deque<std::function<void()>> posted_;
  std::vector<renewal> renewals_;
  run_number last_run_;
  std::optional<std::string> violation_;
  std::uint32_t submit_once_in_, crash_once_in_, cancel_once_in_;
  std::uint32_t begun_ = 0;
  std::size_t steps_ = 0;
  bool crashed_ = false;
  bool dead_ = false;
  bool checked_ = false; ///< since the last message
};

} // namespace troupe_internal::test
