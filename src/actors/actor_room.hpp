// The actor system of an engine, for all of its runs. Knows nothing of them.
#pragma once

#include "ports/work_loop.hpp"

#include <memory>

namespace troupe_internal {

/// Actors of all runs take turns on one loop. Any thread.
class actor_room {
public:
  /// `loop` outlives it. Throws std::system_error where the system does not give the one thread it needs.
  explicit actor_room(work_loop& loop);
  /// All runs are gone by then.
  ~actor_room();
  actor_room(const actor_room&) = delete;
  actor_room& operator=(const actor_room&) = delete;

private:
  friend class actor_run;
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace troupe_internal
