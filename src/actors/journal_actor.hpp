// The order of a run's history: events go to the log in the order they come, and what follows from them is let go
// after. Knows nothing of transactions (the log's business) or of what the events mean.
#pragma once

#include "actors/gate.hpp"
#include "actors/protocol.hpp"
#include "ports/event_log.hpp"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace troupe {

struct journal_state {
  event_log* log = nullptr;   ///< outlives the actor
  std::shared_ptr<gate> back; ///< the way of the log's answers
  supervisor_handle supervisor;
  run_number run;
  bool strict = false; ///< the whole run is: releases wait for the disk
  std::uint64_t next_ticket = 1;
  struct held {
    std::vector<release> releases;
    bool last = false;
  };
  std::map<std::uint64_t, held> waiting; ///< by ticket: what waits for the disk
  std::uint64_t beginning = 0;           ///< ticket of the run's beginning, until it is on disk
  std::vector<release> held_back;        ///< until then
  std::function<void()> begun;           ///< called when that is so, after what was held back has gone; may be empty
  bool failed = false;
};

journal_handle::behavior_type journal_actor(journal_handle::stateful_pointer<journal_state> self,
                                            journal_state initial);

} // namespace troupe
