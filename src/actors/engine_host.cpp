// The actor system of a run: made, waited for, taken down.
#include "actors/engine_host.hpp"

#include "actors/run_scheduler.hpp"
#include "actors/wiring.hpp"

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace troupe_internal {

namespace {

/// One actor at a time: assets are made elsewhere, and a message that stays on its thread costs less than one that
/// wakes another.
struct host_config : caf::actor_system_config {
  host_config(work_loop& loop, timer_thread& timers) {
    schedule_on(*this, loop, timers);
    set("scheduler.max-threads", std::size_t{1});
    set("scheduler.max-throughput", std::size_t{20}); // an actor's turn is not to be long
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
  std::optional<timer_thread> timers;
  try {
    timers.emplace();
  } catch (const std::system_error& refused) {
    return {false, std::string("the system has no threads for a run, and nothing was started: ") + refused.what(),
            false};
  }
  host_config config(*setup.loop, *timers);
  caf::actor_system system(config);
  std::promise<run_end> promise;
  auto ended = promise.get_future();

  const auto actors =
      spawn_run(system, setup, inside_->way_in, [&promise](run_end end) { promise.set_value(std::move(end)); });
  const run_end end = ended.get();
  const auto handles = end_run(actors, *inside_->way_in);
  system.await_all_actors_done();
  return {end.durable, end.problem, end.internal};
}

} // namespace troupe_internal
