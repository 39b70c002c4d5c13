// What an actor_room is made of: for those of this folder that spawn.
#pragma once

#include "actors/actor_room.hpp"
#include "actors/run_scheduler.hpp"

namespace troupe_internal {

struct actor_room::inside {
  struct config : caf::actor_system_config {
    config(work_loop& loop, timer_thread& timers);
  };
  explicit inside(work_loop& loop) : configured(loop, timers), system(configured) {}

  timer_thread timers; // first: where the system refuses it, there is no actor system yet
  config configured;
  caf::actor_system system;
};

} // namespace troupe_internal
