// The order of a run's history: events go to the log in the order they come, and what follows from them is let go
// after. Knows nothing of transactions (the log's business) or of what the events mean.
#pragma once

#include "actors/gate.hpp"
#include "actors/protocol.hpp"
#include "ports/event_log.hpp"

#include <map>
#include <memory>
#include <vector>

namespace troupe_internal {

/// Of what the log was given before the actor was spawned: nothing is let go before that is on disk.
constexpr std::uint64_t beginning_ticket = 1;

struct journal_state {
  std::shared_ptr<void> presence; ///< first, so that it is let go last
  event_log* log = nullptr;       ///< outlives the actor
  std::shared_ptr<gate> back;     ///< the way of the log's answers
  supervisor_handle supervisor;
  run_number run;
  bool strict = false; ///< the whole run is: releases wait for the disk
  std::uint64_t next_ticket = beginning_ticket + 1;
  struct held {
    std::vector<release> releases;
    bool last = false;
  };
  std::map<std::uint64_t, held> waiting; ///< by ticket: what waits for the disk
  bool begun = false;                    ///< the run's beginning is on disk: committed{beginning_ticket} has come
  std::vector<release> held_back;        ///< until then
  bool failed = false;
};

journal_handle::behavior_type journal_actor(journal_handle::stateful_pointer<journal_state> self,
                                            journal_state initial);

} // namespace troupe_internal
