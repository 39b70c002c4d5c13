// What is told of a run that waits in the queue. Knows no queue.
#pragma once

#include "core/model/event.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal {

/// A run that waits, for who asks why.
struct queued_run_info {
  run_number run;
  std::string pipeline;
  cause_kind cause = cause_kind::user;
  std::int32_t priority = 0;
  timestamp queued_at;
  std::string waits_for; ///< why it waits: a word of start_hold
  std::string reason;    ///< the same for people
  uuid id{};
  std::string trigger{}; ///< of the pipeline; empty: none caused it
  friend bool operator==(const queued_run_info&, const queued_run_info&) = default;
};

} // namespace troupe_internal
