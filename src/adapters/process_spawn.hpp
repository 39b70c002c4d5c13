// Starting one command as a process. Knows nothing of how it is watched or ended.
#pragma once

#include "adapters/unique_fd.hpp"
#include "ports/process_executor.hpp"

#include <spawn.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// Why a command could not be started. `how` is not_started (the request's own fault) or internal (ours or the
/// system's: out of processes, descriptors, memory).
struct spawn_failure {
  process_exit::kind how = process_exit::kind::not_started;
  std::string message;
};

/// Starts commands with posix_spawn: leading their own process group, signals at their defaults and none blocked, in
/// `cwd`, standard input from /dev/null, standard output and error to one descriptor, and no other descriptor. One
/// thread at a time.
class command_spawner {
public:
  [[nodiscard]] static result<command_spawner> open();
  command_spawner(command_spawner&& other) noexcept;
  command_spawner& operator=(command_spawner&&) = delete;
  ~command_spawner();

  /// The pid of the new process; it is not yet reaped by anyone, whatever has become of it.
  [[nodiscard]] std::variant<pid_t, spawn_failure> spawn(const process_request& request, int output) const;

private:
  command_spawner() = default;
  [[nodiscard]] int spawn_file(const char* file, char* const argv[], char* const environment[],
                               const process_request& request, int output, pid_t& pid) const;

  unique_fd null_;
  posix_spawnattr_t attributes_{};
  bool owns_attributes_ = false;
};

/// The file that execvp would take for `name` with this PATH, or the words why there is none. A name with a slash is
/// itself. Relative folders in PATH, and a relative name, are beneath `cwd`.
[[nodiscard]] result<std::string> find_command(std::string_view name, const std::vector<std::string>& environment,
                                               std::string_view cwd);

/// The words for a command that was found but could not be executed with this error number.
[[nodiscard]] spawn_failure explain_spawn_error(const process_request& request, const std::string& file,
                                                int error_number);

} // namespace troupe
