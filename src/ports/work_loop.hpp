// The port to a thread that does small pieces of work between other things it waits for. Knows nothing of what they
// are.
#pragma once

#include <functional>

namespace troupe {

/// One thread. post() comes from any thread, from the loop's own too, and never blocks for long.
class work_loop {
public:
  virtual ~work_loop() = default;

  /// Runs `work` on the thread, after all that was posted before it. It must neither block nor throw.
  virtual void post(std::function<void()> work) = 0;
};

} // namespace troupe
