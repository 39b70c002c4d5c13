// The port through which a run's history reaches the journal without waiting for it. Knows nothing of transactions.
#pragma once

#include "base/result.hpp"
#include "core/model/event.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe_internal {

/// Appends in the order of the calls. Any thread; never blocks.
class event_log {
public:
  virtual ~event_log() = default;
  /// `durable` (may be empty) is called on a thread of the log once these events are on disk, with the last one's
  /// number, or with why they never will be: then nothing later is either. `urgent`: somebody waits; else a moment may
  /// be spent gathering more.
  virtual void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) = 0;
  /// Keeps the encoded state of an open run as of all events appended before this call. Only speeds up replay: may fail
  /// silently.
  virtual void checkpoint(run_number run, std::string state) = 0;
};

} // namespace troupe_internal
