// What /proc tells of processes: identity, kin and environment. Ends none and judges none.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// From /proc/PID/stat. `start_ticks` (field 22) with the pid names a process for as long as the system is up.
struct process_facts {
  pid_t pid = 0;
  char state = 0; ///< 'Z' and 'X': dead, not yet reaped
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool kernel_thread = false;
  bool exiting = false; ///< its memory has gone, or is about to
  long threads = 0;
  std::uint64_t start_ticks = 0; ///< since boot, in clock ticks
  /// Addresses; 0 where they may not be known, and during exec: it sets these of the environment first, then writes the
  /// environment, then sets that of the code.
  std::uint64_t code_start = 0, environment_start = 0, environment_end = 0;

  /// All of it: where its first thread alone has ended, a process shows as 'Z' too.
  [[nodiscard]] bool dead() const { return state == 'X' || (state == 'Z' && threads <= 1); }
};

// `in_doubt`, where it is asked for, becomes true if something could not be read for a reason that lies with this
// process or the system (no descriptor, no memory, an error in reading), so that what seems not to be there may be
// there all the same.

/// nullopt if there is no such process. Any thread, as all here.
[[nodiscard]] std::optional<process_facts> read_process_facts(pid_t pid, bool* in_doubt = nullptr);
/// process_facts::start_ticks alone.
[[nodiscard]] std::optional<std::uint64_t> process_start_ticks(pid_t pid);
/// The environment a process was started with, each entry ended by a zero byte; nullopt if it may not be read.
[[nodiscard]] std::optional<std::string> read_process_environment(pid_t pid, bool* in_doubt = nullptr);
/// The same of a live process that is not ours, but not while it is in exec, where it briefly is empty: waits, up to
/// some milliseconds, and is in doubt then.
[[nodiscard]] std::optional<std::string> read_settled_environment(const process_facts& facts, bool* in_doubt = nullptr);
/// Whether an environment as read_process_environment gives it has this entry ("NAME=value"), exactly.
[[nodiscard]] bool environment_has(std::string_view environment, std::string_view entry);
/// The user a process runs as (effective).
[[nodiscard]] std::optional<uid_t> process_user(pid_t pid);
/// The program's name, as in /proc/PID/comm; empty if there is no such process.
[[nodiscard]] std::string process_name(pid_t pid);
/// Its children by all its threads; none where the kernel does not list them.
[[nodiscard]] std::vector<pid_t> process_children(pid_t pid);
/// All processes that can be seen.
[[nodiscard]] std::vector<pid_t> all_processes(bool* in_doubt = nullptr);
/// Identifies this boot of the system; empty if unknown.
[[nodiscard]] std::string boot_id();
/// A descriptor that is readable once the process has ended; -1 with errno.
[[nodiscard]] int open_pidfd(pid_t pid);

} // namespace troupe_internal
