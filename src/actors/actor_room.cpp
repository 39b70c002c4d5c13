// An actor system on a loop.
#include "actors/actor_room_inside.hpp"

namespace troupe_internal {

actor_room::inside::config::config(work_loop& loop, timer_thread& timers) {
  schedule_on(*this, loop, timers);
  // One actor at a time: assets are made elsewhere, and a message that stays on its thread costs less than one that
  // wakes another.
  set("scheduler.max-threads", std::size_t{1});
  set("scheduler.max-throughput", std::size_t{20}); // an actor's turn is not to be long
}

actor_room::actor_room(work_loop& loop) {
  const no_lasting_hold after;
  inside_ = std::make_unique<inside>(loop);
}

actor_room::~actor_room() {
  inside_->system.await_all_actors_done();
}

} // namespace troupe_internal
