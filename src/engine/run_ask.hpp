// A run as it is asked for by somebody who has no pipeline in hand, only its file. Knows nothing of who asks, or when
// the run starts.
#pragma once

#include "core/model/event.hpp"
#include "core/model/queued_run_info.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

struct run_ask {
  std::string file;                   ///< of the pipeline
  std::vector<std::string> selection; ///< none: everything
  std::vector<std::string> exclude;
  bool only = false;
  bool force = false;
  std::vector<std::pair<std::string, std::string>> params; ///< as given
  std::optional<std::uint32_t> workers;
  std::optional<std::uint8_t> error_strategy; ///< troupe_internal::error_strategy
  run_cause cause;
  std::int32_t priority = 0; ///< higher first, in the queue
  run_number continues;      ///< the run whose place it takes; 0: none
  duration timeout{0};       ///< it is ended so long after its start; 0: never
  std::string key;           ///< asked again under it, there is no other run; empty: none
  digest request;            ///< with a key: of what is asked
  std::string pipeline;      ///< with a key: the pipeline's name
  friend bool operator==(const run_ask&, const run_ask&) = default;
};

/// A run that was taken on, durably.
struct submitted_run {
  run_number run;
  bool queued = false; ///< it waits for its turn; else it has started, and may have ended
  bool known = false;  ///< it is the run that an earlier request with the same key asked for
  friend bool operator==(const submitted_run&, const submitted_run&) = default;
};

} // namespace troupe_internal
