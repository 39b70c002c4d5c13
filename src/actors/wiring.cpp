// Who is spawned in which order, and who is handed whose handle.
#include "actors/wiring.hpp"

#include "actors/asset_actor.hpp"
#include "actors/executor_actor.hpp"
#include "actors/handover.hpp"
#include "actors/journal_actor.hpp"

namespace troupe_internal {

run_actors spawn_run(caf::actor_system& system, run_setup& setup, const std::shared_ptr<gate>& way_in,
                     std::function<void(run_end)> on_end, const std::shared_ptr<void>& presence) {
  supervisor_setup inner;
  inner.logic = setup.logic;
  inner.first = std::move(setup.first);
  inner.p = setup.p;
  inner.work = setup.work;
  inner.time = setup.time;
  inner.ahead = setup.time->now().time_since_epoch() - setup.time->monotonic();
  inner.observer = setup.observer;
  inner.names_and_files = setup.names_and_files;
  inner.log_of = setup.log_of;
  inner.versions = std::move(setup.versions);
  inner.closing = setup.closing;
  inner.expected = std::move(setup.expected);
  inner.checkpoint_every = setup.checkpoint_every;
  inner.held_by = std::move(setup.held_by);
  inner.demand_changed = std::move(setup.demand_changed);
  inner.on_end = std::move(on_end);
  // A spawned actor's function runs later: handles are passed on by who spawns.
  const auto supervisor = system.spawn(supervisor_actor, presence, std::move(inner));
  const auto executor = system.spawn(executor_actor, executor_state{presence, setup.work, way_in, supervisor});
  journal_state journal_initial;
  journal_initial.presence = presence;
  journal_initial.log = setup.log;
  journal_initial.back = way_in;
  journal_initial.supervisor = supervisor;
  journal_initial.run = setup.logic->state().run();
  journal_initial.strict = setup.strict;
  const auto journal = system.spawn(journal_actor, std::move(journal_initial));

  // Dependents first: each asset is born knowing whom to tell.
  std::vector<asset_handle> assets(setup.p->assets.size());
  const auto order = setup.graph->topological_order();
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    if (!setup.logic->in_run(*at) || is_final(setup.logic->status(*at)))
      continue;
    asset_state state;
    state.presence = presence;
    state.asset = *at;
    state.needs = setup.logic->needs(*at);
    for (const auto dependent : setup.graph->downstream(*at))
      if (assets[dependent.value])
        state.dependents.push_back(assets[dependent.value]);
    state.supervisor = supervisor;
    state.executor = executor;
    // Not before it is told something: most wait for others, and the first commands for nobody.
    assets[at->value] = system.spawn<caf::lazy_init>(asset_actor, std::move(state));
  }
  way_in->open(assets, journal, supervisor);
  way_in->begin(begin_run{assets, executor, journal});
  auto begun = [way_in](const result<std::uint64_t>& outcome) {
    way_in->to_journal(
        committed{beginning_ticket, outcome.has_value(), outcome ? std::string() : outcome.error().message});
  };
  if (setup.when_on_disk)
    setup.when_on_disk(std::move(begun));
  else
    setup.log->append({}, true, std::move(begun));
  return {supervisor, executor, journal};
}

std::vector<asset_handle> end_run(const run_actors& actors, gate& way_in) {
  auto assets = way_in.close();
  for (const auto& asset : assets)
    if (asset)
      caf::anon_send_exit(asset, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(actors.supervisor, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(actors.journal, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(actors.executor, caf::exit_reason::user_shutdown);
  return assets;
}

} // namespace troupe_internal
