// One live run in the simulated engine, as engine/live_run puts it together: real actors and logic, a simulated
// executor. Knows nothing of what the driver lets happen.
#pragma once

#include "actors/actor_run.hpp"
#include "core/run/settled_assets.hpp"
#include "core/schedule/admission.hpp"
#include "core/schedule/foreign_files.hpp"
#include "core/schedule/run_table.hpp"
#include "engine/opening.hpp"
#include "invariants.hpp"
#include "simulated_plan.hpp"
#include "simulated_state.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace troupe_internal::test {

/// What a new and a resumed run are made from.
struct admitted_run {
  run_number run;
  run_wish wish;
  std::unique_ptr<simulated_plan> plan;
  run_state state;              ///< its first events applied
  std::vector<event> beginning; ///< these events
  timestamp since;
  bool limited = false;
  bool may_hang = false; ///< somebody will end what hangs
  touched_assets touched{};
  foreign_files foreign{};
  std::uint64_t appends = 0; ///< of the journal, when it was admitted
};

/// What it asks and tells where actors run.
struct run_neighbourhood {
  std::function<void(std::vector<event>, bool urgent, std::function<void(result<std::uint64_t>)>)> append;
  std::function<void(const std::vector<asset_id>& changed, std::vector<asset_id> settled)> noted;
  std::function<std::optional<run_number>(asset_id, bool before_execution)> held_by;
  std::function<void()> demand_changed;
  /// Its records are to be read anew once all that was appended is on disk: then renew().
  std::function<void(asset_index)> read_anew;
  std::function<void(const std::function<void()>&)> check;
};

class simulated_live_run final : public neighbour, private event_log {
public:
  simulated_live_run(simulated_state& world, admitted_run made, run_neighbourhood others);
  simulated_live_run(const simulated_live_run&) = delete;
  simulated_live_run& operator=(const simulated_live_run&) = delete;

  /// `gone`: it has ended, and no actor of it is left.
  void begin(caf::actor_system& system, std::function<void()> gone);
  void stop(stop_cause cause, bool at_once) { actors_->stop(cause, at_once); }
  /// Reads what is on disk; then the asset goes on.
  void renew(asset_index asset);
  /// Its supervisor is to end: the engine dies.
  void kill();

  [[nodiscard]] run_number number() const override { return made_.run; }
  [[nodiscard]] cause_kind cause() const override { return made_.wish.cause; }
  [[nodiscard]] const capacity& size() const override { return size_; }
  [[nodiscard]] const run_demand* demand() const override { return demand_ ? &*demand_ : nullptr; }
  [[nodiscard]] bool finished() const override { return logic_->state().finished().has_value(); }
  void offer(budget_offer what) override;
  [[nodiscard]] bool is_touched(asset_id asset) const override;
  void let_go_on(asset_id asset) override;
  void visit_unsettled(const visitor& visit) const override;
  [[nodiscard]] bool unsettled(asset_id asset) const override;
  void visit_reads(asset_id asset, const visitor& visit) const override;
  void visit_readers(asset_id asset, const visitor& visit) const override;

  [[nodiscard]] const foreign_files& foreign() const { return made_.foreign; }
  void note_foreign(const foreign_files::reader& found) { foreign_readers_.note(found); }
  [[nodiscard]] const catalog& names() const { return *made_.plan->names; }

  [[nodiscard]] bool over() const { return outcome_.has_value(); }
  [[nodiscard]] const run_outcome& outcome() const { return *outcome_; }
  [[nodiscard]] const run_logic& logic() const { return *logic_; }
  [[nodiscard]] const counting_observer& observer() const { return observer_; }
  [[nodiscard]] const run_wish& wish() const { return made_.wish; }
  [[nodiscard]] file_executor& work() { return *work_; }
  [[nodiscard]] bool has_held() const { return held_ > 0; }
  void was_held(asset_index asset) { waited_.insert(asset); }

private:
  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) override;
  void checkpoint(run_number run, std::string state) override;
  void set_up();
  void note_waited(const event& e);

  simulated_state& world_;
  admitted_run made_;
  const run_neighbourhood others_;
  const case_pipeline& on_;
  capacity size_;
  counting_observer observer_;
  std::optional<run_logic> logic_;
  std::optional<settled_assets> settled_;
  std::unique_ptr<file_executor> work_;
  std::unique_ptr<actor_run> actors_;
  std::shared_ptr<opening> opened_ = std::make_shared<opening>();
  std::optional<run_demand> demand_;
  std::optional<run_outcome> outcome_;
  foreign_readers foreign_readers_;
  std::set<asset_index> waited_; ///< for an earlier run
  std::size_t held_ = 0;         ///< so many were told by held_by() to wait, and not yet to go on
};

} // namespace troupe_internal::test
