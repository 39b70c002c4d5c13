// What goes into a state's journal before the events of a run: once that this writer is here, and new names before what
// uses them. Knows nothing of storage.
#pragma once

#include "core/model/event.hpp"
#include "engine/state_names.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace troupe_internal {

/// One thread at a time, the one that gives events their place in the order.
class events_before {
public:
  /// `opening`: what to append before anything else, asked for once.
  events_before(std::shared_ptr<state_names> names, std::function<std::vector<event>()> opening);

  /// The events, with what comes before them.
  [[nodiscard]] std::vector<event> put_before(std::vector<event> events);
  /// Whether it was called.
  [[nodiscard]] bool used() const { return opening_ == nullptr; }

private:
  std::shared_ptr<state_names> names_;
  std::function<std::vector<event>()> opening_;
};

} // namespace troupe_internal
