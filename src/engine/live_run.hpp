// A run from its plan to its end: what it is planned with, its logic, its work, its actors. It has no thread, lock or
// storage of its own: those are the engine's.
#pragma once

#include "actors/actor_room.hpp"
#include "actors/actor_run.hpp"
#include "adapters/process/state_logs.hpp"
#include "adapters/state/kept_folder.hpp"
#include "adapters/system/system_clock.hpp"
#include "adapters/system/thread_pool.hpp"
#include "core/run/settled_assets.hpp"
#include "core/schedule/admission.hpp"
#include "core/schedule/foreign_files.hpp"
#include "core/schedule/run_table.hpp"
#include "engine/asset_worker.hpp"
#include "engine/function_maker.hpp"
#include "engine/housekeeping.hpp"
#include "engine/opening.hpp"
#include "engine/planning.hpp"
#include "engine/project.hpp"
#include "engine/reading_limit.hpp"
#include "engine/shared_files.hpp"
#include "engine/state_log.hpp"

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

namespace troupe_internal {

/// What a run uses of its engine; all of it outlives the run.
struct run_surroundings {
  system_clock& time;
  journal_store& store;
  state_log& log;
  state_dir::handle dir;
  uuid state_id;
  process_executor& processes;
  work_loop& loop;
  thread_pool& readers;
  actor_room& room;
  std::shared_ptr<state_logs> logs;
  const kept_folder& results;
  std::optional<history_bounds> history;
  const std::optional<shared_room>& shared; ///< what all runs may use together
  function_room* functions = nullptr;       ///< null: no pipeline has any
};

/// What a new and a resumed run are made from.
struct prepared_run {
  std::unique_ptr<planning> plan;
  run_request request;
  run_state state;              ///< its first events applied
  std::vector<event> beginning; ///< these events, and what is to be appended before them
  timestamp since;              ///< when it, or its last resumption, started
  timestamp started_at;         ///< what its result says
  run_observer& observer;
  std::unique_ptr<reading_limit> limit; ///< that the plan's looks ask
  std::unique_ptr<run_clock> history;   ///< for what is recorded
  cause_kind cause = cause_kind::user;
  bool limited = false; ///< other runs live: it starts nothing before it is offered a budget
  touched_assets touched{};
  foreign_files foreign{};           ///< see made_files
  std::vector<event_taken> events{}; ///< of triggers, that it is for
  std::string trigger{};             ///< "PIPELINE/NAME" that caused it; empty: none
};

/// One run. Not moved: its parts refer to each other.
class live_run final : public neighbour, private event_log {
public:
  /// Is told, where actors run, after the run has appended events: whose records they change, and which assets they
  /// settle.
  using history_watcher = std::function<void(std::vector<asset_id> changed, std::vector<asset_id> settled)>;
  live_run(prepared_run made, const run_surroundings& around, history_watcher watcher);
  /// Ends what still runs of it, and waits for that. After begin(): when the run has ended.
  ~live_run() override;
  live_run(const live_run&) = delete;
  live_run& operator=(const live_run&) = delete;

  /// What the run asks and tells where actors run: see run_setup.
  struct neighbours {
    std::function<std::optional<run_number>(asset_index, bool before_execution)> held_by;
    std::function<void()> demand_changed;
  };
  /// Appends its beginning and lets it begin. `closing`: events to append with its end. `gone` is called once, on the
  /// loop, when it has ended and nothing but this object is left. `keeps_house`: it is to tidy the state as well.
  void begin(std::function<std::vector<event>()> closing, neighbours others, bool keeps_house,
             std::function<void()> gone);
  /// Any thread.
  void stop(stop_cause cause, bool at_once);
  /// Ends what still runs of it, and waits for that. When it has ended.
  void end_work();

  [[nodiscard]] run_observer& observer() const { return made_.observer; }
  [[nodiscard]] timestamp since() const { return made_.since; }

  /// What its pipeline makes. Under the engine's lock.
  [[nodiscard]] const made_files& made();
  [[nodiscard]] const foreign_files& foreign() const { return made_.foreign; }
  /// A later run of another pipeline makes what an asset of this one reads. Where actors run.
  void note_foreign(const foreign_files::reader& found) { foreign_readers_.note(found); }

  // As the others deal with it: where actors run. Settled: in the journal's order.
  [[nodiscard]] run_number number() const override { return number_; } ///< anywhere
  [[nodiscard]] cause_kind cause() const override { return made_.cause; }
  [[nodiscard]] const capacity& size() const override { return size_; }
  [[nodiscard]] const run_demand* demand() const override { return demand_ ? &*demand_ : nullptr; }
  [[nodiscard]] bool finished() const override;
  void offer(budget_offer what) override;
  [[nodiscard]] bool is_touched(asset_id asset) const override;
  void let_go_on(asset_id asset) override;
  void visit_unsettled(const visitor& visit) const override;
  [[nodiscard]] bool unsettled(asset_id asset) const override;
  void visit_reads(asset_id asset, const visitor& visit) const override;
  void visit_readers(asset_id asset, const visitor& visit) const override;
  [[nodiscard]] const run_logic& logic() const { return *logic_; } ///< where actors run, or when it has ended
  [[nodiscard]] const planning& plan() const { return *made_.plan; }
  /// Waits for the end of the run.
  [[nodiscard]] result<run_result> wait();
  /// Whether it was not recorded to its end. When it has ended.
  [[nodiscard]] bool broken() const { return !outcome_.durable; }

private:
  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) override;
  void checkpoint(run_number run, std::string state) override;
  void tell_that_it_began(const std::vector<duration>& remaining);
  void renew(asset_index asset);
  [[nodiscard]] run_result result_now() const;
  /// How other runs know a pool of this one: those that are not shared are the pipeline's own.
  [[nodiscard]] std::string shared_name(const std::string& pool) const;
  [[nodiscard]] capacity as_shared(const capacity& own) const;

  prepared_run made_;
  run_surroundings around_;
  const pipeline& p_;
  std::uint32_t workers_;
  run_number number_;
  history_watcher watcher_;
  std::optional<run_logic> logic_;
  std::optional<settled_assets> settled_;
  std::unique_ptr<housekeeping> keeper_;
  std::unique_ptr<function_maker> functions_; ///< null: the pipeline has none
  std::unique_ptr<asset_worker> work_;
  std::unique_ptr<actor_run> actors_;
  std::shared_ptr<opening> opened_ = std::make_shared<opening>();
  std::function<std::vector<event>()> closing_;
  neighbours others_;
  capacity size_;
  std::optional<run_demand> demand_; ///< where actors run
  run_outcome outcome_;
  timestamp finished_at_;
  bool over_ = false; ///< where actors run
  std::optional<made_files> made_files_;
  foreign_readers foreign_readers_;
  std::promise<void> gone_;
  std::shared_future<void> is_gone_{gone_.get_future()};
};

/// How many workers a run has.
[[nodiscard]] std::uint32_t workers_of(const run_request& request);
/// What planning found and did, for who watches.
void tell_findings(const planning& plan, run_observer& observer);
void append_to(std::vector<event>& to, std::vector<event> more);
/// No transaction is to hold the records of a whole large pipeline.
[[nodiscard]] std::vector<std::vector<event>> in_chunks(std::vector<event> events);

} // namespace troupe_internal
