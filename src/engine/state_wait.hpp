// Waiting until nobody has a state's lock. Knows nothing of what the lock is wanted for.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace troupe_internal {

class stop_request;

struct wait_setup {
  std::optional<duration> longest; ///< none: no limit
  /// Gets one line for people, once it has taken half a second: for whom it waits.
  std::function<void(const std::string& line)> told;
};

enum class wait_end : std::uint8_t {
  free,  ///< nobody had the lock
  freed, ///< nobody has it any more
  time_over,
};

/// Waits while a process holds the state's lock that is not known to have ended. Whoever wants the lock then has to
/// take it, and may find that somebody else was faster. A state that is not there, that cannot be looked at, or that is
/// not this user's alone, is free. Hears of a run's end by the control socket, and looks at the lock every 200 ms at
/// least. Errors: stopped, after a stop request; state_locked, where this process is, by its environment
/// (TROUPE_STATE_ID), inside of a command of this state: it would wait for itself. Any thread.
[[nodiscard]] result<wait_end> wait_until_free(const std::string& state_folder, const wait_setup& how,
                                               const stop_request& stop);

} // namespace troupe_internal
