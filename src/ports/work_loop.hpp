// The port to small pieces of work, done one at a time between other things that are waited for. Knows nothing of what
// they are.
#pragma once

#include <functional>

namespace troupe_internal {

/// One piece at a time, each after the one before: a piece sees what those before it wrote. On which thread is not
/// said. post() and post_idle() come from any thread, from a piece of work too, and never block for long.
class work_loop {
public:
  virtual ~work_loop() = default;

  /// Does `work` after all that was posted before it. It must neither block nor throw.
  virtual void post(std::function<void()> work) = 0;

  /// Does `work` when nothing else is to be done or it has waited for some milliseconds, after all that was handed in
  /// here before it. It must neither block nor throw.
  virtual void post_idle(std::function<void()> work) = 0;
};

} // namespace troupe_internal
