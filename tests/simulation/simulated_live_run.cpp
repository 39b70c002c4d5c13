// Put together as engine/live_run does it.
#include "simulated_live_run.hpp"
#include "require.hpp"

#include "engine/records_anew.hpp"

#include <utility>

namespace troupe_internal::test {

simulated_live_run::simulated_live_run(simulated_state& world, admitted_run made, run_neighbourhood others)
    : world_(world), made_(std::move(made)), others_(std::move(others)),
      on_(made_.plan->on), size_{made_.wish.workers, on_.p->engine.pools}, observer_(on_.p->assets.size()) {
  auto& plan = *made_.plan;
  if (made_.limited)
    demand_ = run_demand{0, {}, {}, true};
  std::vector<duration> remaining;
  for (std::size_t i = 0; i < on_.p->assets.size(); ++i)
    remaining.emplace_back(std::chrono::seconds(world_.random.below(10)));
  logic_.emplace(*on_.p, *on_.graph,
                 run_policy{made_.wish.workers, made_.wish.error_strategy, std::move(remaining), made_.limited},
                 plan.names->asset_ids(), std::move(made_.state));
  work_ =
      std::make_unique<file_executor>(file_executor_setup{world_.on, made_.wish, *plan.names, plan.judged, world_.files,
                                                          world_.random, [this] { return world_.time.steady(); },
                                                          made_.run, made_.since, made_.may_hang, others_.check},
                                      std::move(plan.records));
  work_->on_look = [this](asset_index asset) { world_.books.looking(made_.run, asset); };
  work_->on_execute = [this](asset_index asset, std::uint32_t attempt) {
    world_.books.executing(made_.run, asset, attempt);
  };
  work_->is_lost = [this](asset_index asset) { return world_.books.lost(made_.run, asset); };
  work_->on_made = [this](asset_index asset, std::uint32_t attempt, const fingerprint& from, const production& what) {
    const auto id = made_.plan->names->id_of(asset);
    if (const auto known = world_.books.tables().assets.find(id);
        known != world_.books.tables().assets.end() && known->second.last)
      world_.paths.reached_if(state_path::early_cut_off, known->second.last->made.data_version == what.data_version);
    world_.books.made(made_.run, id, attempt, from, what);
  };
  set_up();
}

void simulated_live_run::set_up() {
  auto& plan = *made_.plan;
  run_setup setup;
  setup.logic = &*logic_;
  setup.first = logic_->begin(blocked_at_once(plan.blocked_from_outside, made_.touched), world_.time.now());
  settled_.emplace(logic_->state());
  setup.p = on_.p.get();
  setup.graph = on_.graph.get();
  setup.work = work_.get();
  setup.log = this;
  setup.when_on_disk = [opened = opened_](std::function<void(result<std::uint64_t>)> then) {
    opened->ask(std::move(then));
  };
  setup.time = &world_.time;
  setup.observer = &observer_;
  setup.strict = on_.p->engine.durability == durability::strict;
  setup.names_and_files = [] { return std::vector<event>{}; };
  setup.closing = [] { return std::vector<event>{}; };
  setup.held_by = [this](asset_index asset, bool before_execution) {
    const auto holder = others_.held_by(made_.plan->names->id_of(asset), before_execution);
    held_ += holder ? 1 : 0;
    return holder;
  };
  setup.demand_changed = [this](const run_demand& demand) {
    demand_ = demand;
    others_.demand_changed();
  };
  setup.log_of = [](asset_index, std::uint32_t) { return std::string(); };
  setup.versions = plan.versions;
  setup.expected.resize(on_.p->assets.size());
  setup.checkpoint_every = world_.on.checkpoint_every;
  actors_ = std::make_unique<actor_run>(std::move(setup));
}

void simulated_live_run::begin(caf::actor_system& system, std::function<void()> gone) {
  append(std::move(made_.beginning), true,
         [opened = opened_](const result<std::uint64_t>& outcome) { opened->tell(outcome); });
  world_.books.begins(made_.run, world_.time.now().time_since_epoch() - world_.time.steady(),
                      blocked_at_once(made_.plan->blocked_from_outside, made_.touched));
  actors_->begin(system, [this, gone = std::move(gone)](run_outcome outcome) {
    others_.check([&] { require(!outcome_, "(3) a run ends twice"); });
    outcome_ = std::move(outcome);
    gone();
  });
}

void simulated_live_run::append(std::vector<event> events, bool urgent,
                                std::function<void(result<std::uint64_t>)> durable) {
  for (const auto& e : events)
    note_waited(e);
  auto settled = settled_->take(*logic_, events);
  const auto changed = records_changed_by(events);
  others_.append(std::move(events), urgent, std::move(durable));
  if (!changed.empty() || !settled.empty())
    others_.noted(changed, std::move(settled));
}

/// What came after a hold.
void simulated_live_run::note_waited(const event& e) {
  if (const auto* fresh = std::get_if<asset_found_fresh>(&e))
    world_.paths.reached_if(state_path::fresh_after_hold, waited_.contains(logic_->index_of(fresh->asset)));
  const auto* started = std::get_if<attempt_started>(&e);
  if (started == nullptr || !waited_.contains(logic_->index_of(started->asset)))
    return;
  world_.paths.reached(state_path::made_after_hold);
  const auto& known = world_.books.tables().assets;
  if (const auto record = known.find(started->asset); record != known.end())
    world_.paths.reached_if(state_path::held_by_failure,
                            record->second.attempt == attempt_state::failed && record->second.attempt_run != made_.run);
}

void simulated_live_run::checkpoint(run_number run, std::string state) {
  world_.journal.checkpoint(run, std::move(state));
}

void simulated_live_run::kill() {
  work_->die();
  actors_->fail("the engine dies");
}

void simulated_live_run::offer(budget_offer what) {
  world_.paths.reached_if(state_path::alone_again, !what.budget);
  world_.paths.reached_if(state_path::limited_later, what.budget && demand_ == std::nullopt);
  world_.paths.reached_if(state_path::budget_raised,
                          what.budget && demand_ && what.budget->workers > demand_->used.workers + 1);
  actors_->offer(what.number, std::move(what.budget));
}

bool simulated_live_run::is_touched(asset_id asset) const {
  const auto index = made_.plan->names->index_of(asset);
  return index && !made_.touched.to_read(*on_.graph, *index).empty();
}

void simulated_live_run::let_go_on(asset_id asset) {
  const auto index = made_.plan->names->index_of(asset);
  if (!outcome_ && index)
    others_.read_anew(*index);
}

void simulated_live_run::renew(asset_index asset) {
  --held_;
  if (made_.touched.to_read(*on_.graph, asset).empty())
    return actors_->let_go_on(asset, {});
  const auto snapshot = world_.store->snapshot();
  auto anew = read_anew(
      *on_.p, *on_.graph, made_.touched, asset, [this](asset_index one) { return logic_->in_run(one); },
      [&](asset_index one, asset_record& record) {
        const auto read = (*snapshot)->read_asset(made_.plan->names->id_of(one), record);
        return read ? result<void>() : result<void>(read.error());
      });
  if (!anew)
    return actors_->fail(anew.error().message);
  world_.paths.reached(state_path::records_read_anew);
  if (anew->own)
    work_->use_record(asset, std::move(*anew->own));
  actors_->let_go_on(asset, std::move(anew->versions), std::move(anew->blocked));
}

void simulated_live_run::visit_unsettled(const visitor& visit) const {
  const auto& state = logic_->state();
  for (std::uint32_t position = 0; position < state.size(); ++position)
    if (!settled_->at(position) && !visit(state.id_at(position)))
      return;
}

bool simulated_live_run::unsettled(asset_id asset) const {
  const auto position = logic_->state().position(asset);
  return position && !settled_->at(*position);
}

void simulated_live_run::visit_reads(asset_id asset, const visitor& visit) const {
  const auto index = made_.plan->names->index_of(asset);
  if (!index)
    return;
  for (const auto upstream : on_.graph->upstream(*index))
    if (!visit(made_.plan->names->id_of(upstream)))
      return;
  made_.foreign.visit_makers(*index, visit);
}

void simulated_live_run::visit_readers(asset_id asset, const visitor& visit) const {
  if (!foreign_readers_.visit(asset, visit))
    return;
  if (const auto index = made_.plan->names->index_of(asset))
    for (const auto downstream : on_.graph->downstream(*index))
      if (!visit(made_.plan->names->id_of(downstream)))
        return;
}

} // namespace troupe_internal::test
