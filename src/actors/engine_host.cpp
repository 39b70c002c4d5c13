// Spawning, waiting, taking down.
#include "actors/engine_host.hpp"

#include "actors/asset_actor.hpp"
#include "actors/executor_actor.hpp"
#include "actors/gate.hpp"
#include "actors/journal_actor.hpp"
#include "actors/supervisor_actor.hpp"

#include <future>
#include <memory>

namespace troupe {

namespace {

/// `sharing`: an idle thread sleeps, and a fan-out to many actors stays linear. One thread: work never runs here, and a
/// message that stays on its thread costs less than one that wakes another.
struct host_config : caf::actor_system_config {
  host_config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
    set("scheduler.max-throughput", std::size_t{100});
  }
};

} // namespace

struct engine_host::inside {
  host_setup setup;
  std::shared_ptr<gate> way_in = std::make_shared<gate>();
};

engine_host::engine_host(host_setup setup) : inside_(std::make_unique<inside>()) {
  inside_->setup = std::move(setup);
}

engine_host::~engine_host() = default;

void engine_host::stop(stop_cause cause, bool at_once) {
  inside_->way_in->stop(stop_order{cause, at_once});
}

host_result engine_host::run() {
  auto& setup = inside_->setup;
  host_config config;
  caf::actor_system system(config);
  std::promise<run_end> promise;
  auto ended = promise.get_future();

  supervisor_setup inner;
  inner.logic = setup.logic;
  inner.first = std::move(setup.first);
  inner.p = setup.p;
  inner.work = setup.work;
  inner.time = setup.time;
  inner.observer = setup.observer;
  inner.names_and_files = setup.names_and_files;
  inner.log_of = setup.log_of;
  inner.versions = std::move(setup.versions);
  inner.closing = setup.closing;
  inner.expected = std::move(setup.expected);
  inner.checkpoint_every = setup.checkpoint_every;
  inner.on_end = [&promise](run_end end) { promise.set_value(std::move(end)); };
  // A spawned actor's function runs later, on another thread: handles are passed on by who spawns.
  const auto supervisor = system.spawn(supervisor_actor, std::move(inner));
  const auto executor = system.spawn(executor_actor, executor_state{setup.work, inside_->way_in, supervisor});
  journal_state journal_initial;
  journal_initial.log = setup.log;
  journal_initial.back = inside_->way_in;
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
    state.asset = *at;
    state.needs = setup.logic->needs(*at);
    for (const auto dependent : setup.graph->downstream(*at))
      if (assets[dependent.value])
        state.dependents.push_back(assets[dependent.value]);
    state.supervisor = supervisor;
    state.executor = executor;
    assets[at->value] = system.spawn(asset_actor, std::move(state));
  }
  inside_->way_in->open(assets, journal, supervisor);
  inside_->way_in->begin(begin_run{assets, executor, journal});

  const run_end end = ended.get();
  assets = inside_->way_in->close();
  // Actors end before their handles are dropped: releasing a chain of them would recurse.
  for (const auto& asset : assets)
    if (asset)
      caf::anon_send_exit(asset, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(journal, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(executor, caf::exit_reason::user_shutdown);
  system.await_all_actors_done();
  return {end.durable, end.problem, end.internal};
}

} // namespace troupe
