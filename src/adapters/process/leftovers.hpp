// Processes that a dead supervisor left running: which they are, and their end. Knows nothing of the journal.
#pragma once

#include "adapters/process/process_place.hpp"
#include "adapters/process/process_table.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "core/model/event.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// An attempt that the journal shows as running, as process_spawned reported it.
struct recorded_process {
  std::int32_t process_group = 0;
  std::uint64_t start_ticks = 0;
  std::string boot_id;             ///< boot_id() at that time
  std::uint64_t pid_namespace = 0; ///< in which all of this counts; 0: unknown, recorded by an older version
  std::int32_t supervisor = 0;     ///< the process that recorded it; 0: unknown, and proves nothing
};

struct leftover {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string name; ///< the program's name, as in /proc/PID/comm
  leftover_proof why = leftover_proof::mark;
  friend bool operator==(const leftover&, const leftover&) = default;
};

/// A process in a group that the journal has recorded, whose leader still runs, where nothing but the record says that
/// a command of this state runs there. It is nobody's to end: the record may be forged, or the command has cleared its
/// environment.
struct unproved_process {
  pid_t pid = 0;
  std::string name;
  std::int32_t process_group = 0; ///< as recorded
  bool other_user = false;
  friend bool operator==(const unproved_process&, const unproved_process&) = default;
};

/// The variable by which a command's environment names the process that started it:
/// `TROUPE_SUPERVISOR=PID:START:BOOT:PID_NAMESPACE:TIME_NAMESPACE`.
inline constexpr std::string_view supervisor_variable = "TROUPE_SUPERVISOR=";
[[nodiscard]] std::string supervisor_mark(pid_t pid, std::uint64_t start_ticks, const process_place& where);
/// The mark of this process; empty if it cannot be known.
[[nodiscard]] std::string own_supervisor_mark();

/// This user's processes that certainly belong to the state and whose supervisor is certainly dead, by any of these:
/// - their environment holds TROUPE_STATE_ID=`state_id`, and names a supervisor of this PID namespace that has ended
///   (or this process: it holds the state now);
/// - they descend from such a process;
/// - their group is a recorded one, the process that recorded it has ended, and one of its members is proved by its
///   environment.
/// A record alone proves nothing: whoever may write the state can forge it. What is in a recorded group whose leader is
/// there with the recorded start time (a tick more or less), and is not proved, is told in `unproved`.
/// So nothing is taken that works for a copy of the state, or for the state that this one is a copy of. Never this
/// process, its ancestors, what is dead already, or what this process has started. An empty `state_id` proves nothing.
/// `in_doubt` is set if some could not be read, see process_table.hpp.
[[nodiscard]] std::vector<leftover> find_leftovers(std::string_view state_id,
                                                   std::span<const recorded_process> recorded, bool* in_doubt = nullptr,
                                                   std::vector<unproved_process>* unproved = nullptr);

/// What came of leftovers.
struct leftover_tally {
  std::vector<leftover> ended;
  std::vector<unproved_process> unproved; ///< these still run
};

/// Ends them: SIGTERM, SIGKILL after `grace` or as soon as somebody is `hurried`, again for what they start meanwhile,
/// until none is left; blocks for so long. Signals go through pidfds, verified by start time, so that nobody else is
/// ever hit. The tally gets whom it has ended, also where it fails: an error (io) names those that could not be ended:
/// not permitted, or not gone ten seconds after SIGKILL; or it says that for so long the processes could not be looked
/// at.
[[nodiscard]] result<void> end_leftovers(std::string_view state_id, std::span<const recorded_process> recorded,
                                         duration grace, leftover_tally& tally,
                                         const std::function<bool()>& hurried = {});

} // namespace troupe_internal
