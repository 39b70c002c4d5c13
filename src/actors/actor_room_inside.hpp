// What an actor_room is made of: for those of this folder that spawn.
#pragma once

#include "actors/actor_room.hpp"
#include "actors/run_scheduler.hpp"

namespace troupe_internal {

/// A thread that makes an actor system, or spawns in it, gets a hold on the system's logger for as long as the thread
/// lives, and the end of the system waits for all of them: so the thread lets go of it again.
class no_lasting_hold {
public:
  no_lasting_hold() = default;
  ~no_lasting_hold() { caf::logger::set_current_actor_system(nullptr); }
  no_lasting_hold(const no_lasting_hold&) = delete;
  no_lasting_hold& operator=(const no_lasting_hold&) = delete;
};

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
