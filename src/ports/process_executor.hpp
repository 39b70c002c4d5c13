// The port to running commands as processes. Knows nothing of assets, freshness or the journal.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/command/secret_mask.hpp"
#include "core/model/event.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal {

/// Names one process request while it lives; never reused in one executor: see process_executor::new_key().
using process_key = std::uint64_t;
/// Whose processes are ended together: the number of the run.
using process_owner = std::uint32_t;

struct process_request {
  process_key key = 0;
  process_owner owner = 0;
  std::vector<std::string> argv; ///< argv[0] without "/" is looked up in the PATH of the environment
  std::string file;              ///< where prepare() found argv[0]; empty: start() looks
  /// "NAME=value"; complete together with `shared_environment`, and no name is in both. All TROUPE_* are here: by them
  /// what the command leaves behind is known.
  std::vector<std::string> environment;
  std::shared_ptr<const std::vector<std::string>> shared_environment; ///< what many requests have alike; may be null
  std::string cwd;                                                    ///< absolute
  std::string log_file;                                               ///< its path, for messages
  /// Makes the log, when there is output: a descriptor to write it with, which is taken over. One thread at a time.
  std::function<result<int>()> open_log;
  std::uint64_t max_log = 0; ///< bytes (0: no limit); beyond it the middle is dropped, with lines that say so
  std::shared_ptr<const secret_mask> mask; ///< goes over the output before it is logged; null: it is logged as it comes
  /// Descriptors above 2 that stay the caller's, and are open until `exited` is called: what the command reads instead
  /// of /dev/null, and where its standard output goes instead of into the log. -1: none.
  int input = -1;
  int answer = -1;
  /// How many bytes of its standard output are handed back at its end as well as logged; 0: none. Not with `answer`.
  std::uint64_t capture = 0;
  std::optional<duration> timeout;
  duration grace{}; ///< between SIGTERM and SIGKILL
  /// Called, as `spawned` and `exited` are and between them, each time a signal stops the command: SIGTTIN, SIGTTOU
  /// where it wants the terminal. It is left as it is, and its timeout counts on.
  std::function<void(std::int32_t signal)> stopped;
};

/// Calls `take` with each entry of the request's environment.
template <class Take>
void each_variable(const process_request& request, Take&& take) {
  if (request.shared_environment)
    for (const auto& entry : *request.shared_environment)
      take(entry);
  for (const auto& entry : request.environment)
    take(entry);
}

struct process_spawned {
  std::int32_t process_group = 0;
  std::uint64_t start_ticks = 0; ///< /proc/PID/stat field 22
};

struct process_exit {
  /// ended: by itself (exit_code or signal). ended_by_us: after end() or end_all(); also where it died of such a signal
  /// as they send a moment before them, since somebody ends all there is, the caller included. timed_out: after its
  /// timeout. not_started: `message` says why (the command does not exist, is not executable, …). internal: the
  /// executor could not go on (out of descriptors …): the process was ended, `message` says why. For the others
  /// `message` is empty.
  enum class kind : std::uint8_t { ended, ended_by_us, timed_out, not_started, internal };
  kind how = kind::ended;
  std::int32_t exit_code = 0; ///< valid if signal is 0
  std::int32_t signal = 0;
  std::string message;
  bool has_log = false;
  std::string captured;                  ///< of its standard output, as much as was asked for
  bool captured_less = false;            ///< there was more
  std::optional<resource_use> resources; ///< absent where nobody could take them: not_started, internal
  /// Whatever the outcome: the log is not complete (a full disk fails no command that succeeded), something it left
  /// running was ended, or is another user's and could not be.
  std::vector<attempt_warning> warnings;
};

/// How hard to end: ask (SIGTERM to the group, SIGKILL after grace) or at once (SIGKILL).
enum class urgency : std::uint8_t { graceful, at_once };

/// Runs processes, each leading its own group, stdin /dev/null, stdout and stderr in order into its log (unless the
/// request says otherwise), no other descriptor. Nothing a process started outlives its exit being reported. Calls come
/// from any thread and never block; callbacks come on threads of the executor, never two at once, and must not block.
class process_executor {
public:
  virtual ~process_executor() = default; ///< ends what runs at once and waits for it

  /// Does ahead of start() what can be, so that less is to be done when the time has come: looks up the command. May
  /// block. What has changed until then is seen by start() all the same, if the command cannot be executed any more.
  virtual void prepare(process_request& /*request*/) const {}
  /// `spawned` at most once and before `exited`; `exited` exactly once, also when it could not be started.
  virtual void start(process_request request, std::function<void(process_spawned)> spawned,
                     std::function<void(process_exit)> exited) = 0;
  /// Unknown or finished keys are ignored.
  virtual void end(process_key key, urgency how) = 0;
  /// Ends every process of this owner. Those of others go on.
  virtual void end_all(process_owner owner, urgency how) = 0;
  /// A key that no request has had.
  [[nodiscard]] process_key new_key() { return last_key_.fetch_add(1, std::memory_order_relaxed) + 1; }

private:
  std::atomic<process_key> last_key_{0};
};

} // namespace troupe_internal
