// The control socket where a run holds the lock, else one look after another with longer and longer pauses.
#include "engine/state_wait.hpp"

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "base/shown_text.hpp"
#include "engine/control_client.hpp"
#include "engine/project.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace troupe_internal {

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto shortest_pause = milliseconds(2);
constexpr auto longest_pause = milliseconds(200);
constexpr auto told_after = milliseconds(500);

/// Whether this process was started by a command of a run of this state, or by what such a command started.
bool is_inside(const std::string& state_folder) {
  const char* const id = std::getenv("TROUPE_STATE_ID");
  if (id == nullptr || *id == '\0')
    return false;
  const auto snapshot = open_snapshot(state_folder);
  return snapshot && to_string((*snapshot)->info().id) == id;
}

/// What holds the lock, as far as the control socket says it.
class holders_run {
public:
  /// Waits for its end, or for `pause`, or for the descriptor.
  void wait(const state_dir& dir, milliseconds pause, int stop) {
    if (!client_)
      connect(dir);
    if (!client_) {
      pollfd wait{stop, POLLIN, 0};
      static_cast<void>(poll(&wait, 1, static_cast<int>(pause.count())));
      return;
    }
    const auto said = client_->receive(pause, stop);
    if (!said) { // it has ended, or listens no more
      client_.reset();
      return;
    }
    if (!*said)
      return;
    if (const auto* ended = std::get_if<run_ended>(&**said); ended != nullptr)
      client_.reset();
    else if (const auto* live = std::get_if<live_runs>(&**said); live != nullptr && !live->runs.empty()) {
      run_ = live->runs.front().run;
      if (!client_->send(wait_request{*run_}))
        client_.reset();
    }
  }
  [[nodiscard]] bool is_heard() const { return client_.has_value(); }
  [[nodiscard]] std::optional<run_number> run() const { return run_; }

private:
  void connect(const state_dir& dir) {
    run_.reset();
    auto client = control_client::connect(dir);
    if (client && client->send(list_request{}))
      client_ = std::move(*client);
  }

  std::optional<control_client> client_;
  std::optional<run_number> run_;
};

std::string waits_for(const lock_holder& holder, std::optional<run_number> run) {
  return "waiting for " + (run ? "run #" + std::to_string(run->value) + ", " : "") + visible(words_on(holder));
}

} // namespace

result<wait_end> wait_until_free(const std::string& state_folder, const wait_setup& how, const stop_request& stop) {
  const auto began = steady::now();
  std::optional<steady::time_point> until;
  if (how.longest && *how.longest < std::chrono::hours(24 * 365))
    until = began + *how.longest;
  auto pause = shortest_pause;
  bool told = false;
  bool waited = false;
  holders_run run;
  for (;;) {
    const auto dir = state_dir::open(state_folder);
    const auto holder = dir && (*dir)->ours() ? holder_of(**dir) : std::nullopt; // of others nobody gets the lock
    if (!holder)
      return waited ? wait_end::freed : wait_end::free;
    if (!std::exchange(waited, true) && is_inside(state_folder))
      return fail(error_code::state_locked, "state " + state_folder + " is in use by " + words_on(*holder) +
                                                ", and this was started by one of its commands: it would wait for "
                                                "itself. Leave out --wait, or let another state be used here, with "
                                                "--state");
    if (stop.count() > 0)
      return fail(error_code::stopped, "stopped while it waited for " + words_on(*holder) + ": nothing was done");
    const auto now = steady::now();
    if (until && now >= *until)
      return wait_end::time_over;
    if (!told && now - began >= told_after) {
      told = true;
      if (how.told)
        how.told(waits_for(*holder, run.run()));
    }
    auto step = run.is_heard() ? longest_pause : pause;
    if (until)
      step = std::min(step, std::chrono::ceil<milliseconds>(*until - now));
    if (!told)
      step = std::min(step, std::chrono::ceil<milliseconds>(began + told_after - now));
    const bool was_heard = run.is_heard();
    run.wait(**dir, std::max(step, milliseconds(1)), stop.descriptor());
    pause = was_heard && !run.is_heard() ? shortest_pause : std::min(2 * pause, longest_pause); // soon after an end
  }
}

} // namespace troupe_internal
