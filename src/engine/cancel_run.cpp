// Asking the supervisor of a live run to stop it, and waiting for that. Knows nothing of how a run stops.
#include "adapters/journal/lmdb_origin.hpp"
#include "adapters/journal/state_lock.hpp"
#include "adapters/process/process_table.hpp"
#include "engine/cancel_queued.hpp"
#include "engine/control_client.hpp"
#include "engine/project.hpp"

#include <algorithm>
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
/// With a run that has ended the connection and not said that it takes the request: mostly it has just ended.
constexpr auto patience_with_a_lost_connection = std::chrono::seconds(5);

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

/// Why a live run cannot be reached, where nobody listens.
error unreached(const std::string& state_folder, const state_dir& dir, const std::string& called) {
  const auto old = dir.look(old_control_name);
  const auto holder = living_holder_of(state_folder);
  if (old && S_ISFIFO(old->st_mode) && holder) // it is removed by who listens at a socket
    return fail(error_code::state_unusable,
                called + " is carried out by another version of Troupe, which cannot be asked by this one (" +
                    TROUPE_VERSION + "). End it with that version's `troupe cancel`, or with `kill " +
                    std::to_string(holder->pid) + "`");
  return fail(error_code::not_found, called + " cannot be reached: it is just starting or ending");
}

/// Hands over the request; then, until it is done, what the other side says of it.
class request {
public:
  request(const state_dir& dir, run_number run) : client_(control_client::connect(dir)) {
    if (client_)
      sent_ = client_->send(cancel_request{run, false});
  }
  /// The error of a request that did not get there.
  [[nodiscard]] result<void> sent() const { return client_ ? sent_ : result<void>(client_.error()); }
  /// Waits a moment for an answer. An error is one that no waiting will mend.
  [[nodiscard]] result<void> wait() {
    if (ended_) {
      std::this_thread::sleep_for(look_every);
      const bool heard = taken_ || steady::now() - *ended_ < patience_with_a_lost_connection;
      return heard ? result<void>() : result<void>(fail(error_code::not_found, "the connection was lost"));
    }
    const auto said = client_->receive(look_every);
    if (said) {
      taken_ = taken_ || (*said && std::holds_alternative<run_cancelling>(**said));
      return {};
    }
    ended_ = steady::now();
    return said.error().code == error_code::not_found ? result<void>() : result<void>(said.error()); // it ends already
  }

private:
  result<control_client> client_;
  result<void> sent_;
  bool taken_ = false;
  std::optional<steady::time_point> ended_; ///< when the connection was
};

/// The run that is meant, and which run is live.
struct cancel_target {
  run_record meant;
  std::optional<run_number> live;
};

result<cancel_target> find_target(const std::string& state_folder, const std::optional<std::string>& name) {
  const auto runs = list_runs(state_folder, 0);
  if (!runs)
    return runs.error();
  const auto live =
      std::find_if(runs->begin(), runs->end(), [](const run_record& run) { return run.status == run_status::running; });
  std::optional<run_number> number;
  if (live != runs->end())
    number = live->run;
  std::string names;
  std::size_t living = 0;
  constexpr std::size_t most = 10;
  for (const auto& run : *runs)
    if (run.status == run_status::running && ++living <= most)
      names += (living == 1 ? "#" : ", #") + std::to_string(run.run.value);
  if (!name && living > 1)
    return fail(error_code::invalid_input, "several runs are live: " + names + (living > most ? " and more" : "") +
                                               ". Name one: troupe cancel " + std::to_string(number->value));
  if (!name && number)
    return cancel_target{*live, number};
  auto meant = find_run(state_folder, name.value_or("latest"));
  return meant ? result<cancel_target>(cancel_target{std::move(*meant), number}) : meant.error();
}

} // namespace

result<run_record> cancel_run(const std::string& state_folder, const std::optional<std::string>& name) {
  if (const auto own = require_own_state(state_folder); !own)
    return own.error();
  const auto target = find_target(state_folder, name);
  if (!target)
    return target.error();
  const auto& run = target->meant;
  const auto called = "run #" + std::to_string(run.run.value);
  if (run.status == run_status::queued)
    return cancel_queued(state_folder, run.run);
  if (run.status != run_status::running)
    return fail(error_code::not_found,
                called + " is not live; its status is " + std::string(to_string(run.status)) +
                    (target->live ? "; run #" + std::to_string(target->live->value) + " is live" : ""));
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error();
  request asked(**dir, run.run);
  if (const auto sent = asked.sent(); !sent)
    return sent.error().code == error_code::not_found ? unreached(state_folder, **dir, called) : sent.error();
  waker supervisor(state_folder);
  for (;;) {
    const auto now = find_run(state_folder, "#" + std::to_string(run.run.value));
    if (!now || now->status != run_status::running)
      return now;
    if (const auto why = supervisor.wake(); !why.empty()) {
      const auto pid = std::to_string(supervisor.pid());
      return fail(error_code::state_locked, called + " was asked to end, but its process " + pid + " is stopped and " +
                                                why + ". It ends once `kill -CONT " + pid + "` has continued it");
    }
    if (const auto waited = asked.wait(); !waited)
      return waited.error().code == error_code::not_found ? unreached(state_folder, **dir, called) : waited.error();
  }
}

} // namespace troupe_internal
