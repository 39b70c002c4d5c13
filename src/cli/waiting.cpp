// One wait, one try, and so on until the try finds the lock free.
#include "cli/waiting.hpp"

#include "adapters/system/system_clock.hpp"
#include "cli/signals.hpp"
#include "config/value_text.hpp"
#include "engine/state_wait.hpp"
#include "views/text.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace troupe_internal::cli {

namespace {

constexpr int signal_statuses = 128;
constexpr auto pause_after_a_lost_race = std::chrono::milliseconds(20);

struct wait_option {
  bool given = false;
  std::optional<duration> longest; ///< none: no limit
};

/// The exit status where the wait did not end well.
result<wait_end> wait_for_lock(invocation& with, const std::string& state, std::optional<duration> left, int& status) {
  stop_request stop;
  const signal_guard guard(stop);
  wait_setup how;
  how.longest = left;
  how.told = [&with](const std::string& line) { with.io.err.stream << printable(line) << "\n" << std::flush; };
  const auto ended = wait_until_free(state, how, stop);
  if (!ended) {
    status = with.report(ended.error());
    status = stop.signal() > 0 ? signal_statuses + stop.signal() : status;
  }
  return ended;
}

int wait_and_do(invocation& with, std::optional<duration> longest, const std::function<int()>& action,
                const std::function<result<std::string>()>& state_of) {
  const system_clock time;
  const auto began = time.monotonic();
  const auto options = with.options; // an action changes them
  for (;;) {
    const auto state = state_of();
    if (!state || state->empty())
      return action(); // which says what is wrong
    std::optional<duration> left;
    if (longest)
      left = std::max(*longest - (time.monotonic() - began), duration::zero());
    int status = exit_state;
    const auto ended = wait_for_lock(with, *state, left, status);
    if (!ended)
      return status;
    if (*ended == wait_end::freed)
      with.io.started = time.monotonic(); // a run begins after the one that it waited for
    with.held_back.reset();
    with.holds_back = *ended != wait_end::time_over;
    status = action();
    with.holds_back = false;
    if (!with.held_back || status > signal_statuses)
      return status;
    with.options = options;
    if (*ended == wait_end::free) // so that no mistake about who has the lock keeps a processor busy
      std::this_thread::sleep_for(pause_after_a_lost_race);
  }
}

} // namespace

void set_waiting_action(command_spec& verb, invocation& with, std::function<int()> action,
                        std::function<result<std::string>()> state) {
  auto wait = std::make_shared<wait_option>();
  verb.flag_or_value("--wait", "TIME", "wait until nobody else writes the state; for TIME at most, such as 30s",
                     [wait](const std::string& value) {
                       wait->given = true;
                       wait->longest = config::parse_duration(value);
                       return wait->longest || value.empty() ? std::string()
                                                             : "--wait takes a time such as 30s, not '" + value + "'";
                     });
  verb.action = [wait, &with, action = std::move(action), state = std::move(state)] {
    return wait->given ? wait_and_do(with, wait->longest, action, state) : action();
  };
}

} // namespace troupe_internal::cli
