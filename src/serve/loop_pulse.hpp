// Whether the loop that runs actors and commands still turns, for those who ask now and then. Knows no loop.
#pragma once

#include "base/time.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace troupe_internal::serve {

/// Each question asks the loop for a turn, unless one is asked for already, and is answered by how long that takes. So
/// nobody waits, and the first question after the loop has come to stand is still answered with yes. Any thread.
class loop_pulse {
public:
  /// `on_turn(then)`: has the loop call `then` once. `longest`: what a turn may take.
  loop_pulse(std::function<void(std::function<void()>)> on_turn, duration longest)
      : on_turn_(std::move(on_turn)), longest_(longest) {}

  /// `now`: of a clock that nobody sets.
  [[nodiscard]] bool turns(duration now) {
    {
      const std::lock_guard lock(asked_->mutex);
      if (asked_->waits)
        return now - asked_->since <= longest_;
      asked_->waits = true;
      asked_->since = now;
    }
    on_turn_([asked = asked_] { // perhaps when this is gone
      const std::lock_guard lock(asked->mutex);
      asked->waits = false;
    });
    return true;
  }

private:
  struct question {
    std::mutex mutex;
    bool waits = false;
    duration since{0};
  };
  std::function<void(std::function<void()>)> on_turn_;
  duration longest_;
  std::shared_ptr<question> asked_ = std::make_shared<question>();
};

} // namespace troupe_internal::serve
