// Starting one command as a process. Knows nothing of how it is watched or ended.
#pragma once

#include "adapters/process/child_clone.hpp"
#include "adapters/system/unique_fd.hpp"
#include "ports/process_executor.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe_internal {

/// Why a command could not be started. `how` is not_started (the request's own fault) or internal (ours or the
/// system's: out of processes, descriptors, memory).
struct spawn_failure {
  process_exit::kind how = process_exit::kind::not_started;
  std::string message;
};

/// A process that was started. It is not yet reaped by anyone, whatever has become of it.
struct spawned_process {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0; ///< as in /proc/PID/stat
};

/// Starts commands: leading their own process group, signals at their defaults and none blocked, in `cwd`, standard
/// input from /dev/null, standard output and error to one descriptor, and no other descriptor. Our page tables are not
/// copied (child_cloner), so the cost does not grow with our memory. One thread at a time, which has all signals
/// blocked that have a handler.
class command_spawner {
public:
  [[nodiscard]] static result<command_spawner> open(child_cloner::way how = child_cloner::way::best);

  [[nodiscard]] std::variant<spawned_process, spawn_failure> spawn(const process_request& request, int output);

private:
  command_spawner() = default;
  [[nodiscard]] std::variant<spawned_process, int> spawn_file(const process_request& request, const std::string& file,
                                                              int output);

  unique_fd null_;
  std::unique_ptr<child_cloner> cloner_;
};

/// The file that execvp would take for `name` with this value of PATH, or the words why there is none. A name with a
/// slash is itself. Relative folders in PATH, and a relative name, are beneath `cwd`.
[[nodiscard]] result<std::string> find_command(std::string_view name, std::string_view folders, std::string_view cwd);
/// The same for the command of a request.
[[nodiscard]] result<std::string> find_command(const process_request& request);

/// The words for a command that was found but could not be executed with this error number.
[[nodiscard]] spawn_failure explain_spawn_error(const process_request& request, const std::string& file,
                                                int error_number);

} // namespace troupe_internal
