// Asking the supervisor of a live run to stop it, and waiting for that. Knows nothing of how a run stops.
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/process_table.hpp"
#include "engine/project.hpp"
#include "engine/stop_watch.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

namespace troupe_internal {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto look_every = std::chrono::milliseconds(20);
/// With a supervisor that is stopped and stays so, whatever is done about it.
constexpr auto patience_with_a_stopped_one = std::chrono::seconds(3);

/// Continues a supervisor that is stopped (Ctrl-Z, SIGSTOP): it could not end otherwise.
class waker {
public:
  explicit waker(const std::string& state_folder) : holder_(living_holder_of(state_folder)) {}

  /// What keeps it stopped, once nothing helps; empty: nothing.
  [[nodiscard]] std::string wake() {
    if (!holder_)
      return {};
    const auto process = read_process_facts(holder_->pid);
    if (!process || process->start_ticks != holder_->start_ticks || (process->state != 'T' && process->state != 't')) {
      since_.reset();
      return {};
    }
    if (!since_)
      since_ = steady::now();
    const bool traced = process->state == 't';
    if (!traced && kill(holder_->pid, SIGCONT) != 0)
      return std::string("it may not be continued: ") + std::strerror(errno);
    if (steady::now() - *since_ < patience_with_a_stopped_one)
      return {};
    return traced ? "a debugger has stopped it" : "it is stopped again each time it is continued";
  }
  [[nodiscard]] std::int32_t pid() const { return holder_->pid; }

private:
  std::optional<lock_holder> holder_;
  std::optional<steady::time_point> since_;
};

} // namespace

result<run_record> cancel_run(const std::string& state_folder, const std::optional<std::string>& name) {
  if (const auto own = require_own_state(state_folder); !own)
    return own.error();
  const auto target = find_run(state_folder, name.value_or("latest"));
  if (!target)
    return target.error();
  const auto called = "run #" + std::to_string(target->run.value);
  if (target->status != run_status::running)
    return fail(error_code::not_found, called + " is not live: it is " + std::string(to_string(target->status)));
  if (!send_cancel(state_folder))
    return fail(error_code::not_found, called + " cannot be reached: it is just starting or ending");
  waker supervisor(state_folder);
  for (;;) {
    const auto now = find_run(state_folder, "#" + std::to_string(target->run.value));
    if (!now || now->status != run_status::running)
      return now;
    if (const auto why = supervisor.wake(); !why.empty()) {
      const auto pid = std::to_string(supervisor.pid());
      return fail(error_code::state_locked, called + " was asked to end, but its process " + pid + " is stopped and " +
                                                why + ". It ends once `kill -CONT " + pid + "` has continued it");
    }
    std::this_thread::sleep_for(look_every);
  }
}

} // namespace troupe_internal
