// Where a process id means something, and whether the process it names there still lives. Knows nothing of states,
// environments or signals.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

/// A process id counts within one PID namespace of one boot; start ticks count within one time namespace too.
struct process_place {
  std::string boot_id;
  std::uint64_t pid_namespace = 0;  ///< the inode of /proc/PID/ns/pid
  std::uint64_t time_namespace = 0; ///< likewise; 0 where the kernel has none
  friend bool operator==(const process_place&, const process_place&) = default;
};

/// Of this process. nullopt if it is unknown, or if /proc shows the processes of another namespace. Any thread, as all
/// here.
[[nodiscard]] std::optional<process_place> own_place();

/// "BOOT PID_NAMESPACE TIME_NAMESPACE", with another separator where a blank will not do.
[[nodiscard]] std::string to_text(const process_place& place, char separator = ' ');
/// nullopt if `text` is anything else.
[[nodiscard]] std::optional<process_place> parse_place(std::string_view text, char separator = ' ');

/// Whether `other` is a PID namespace of this boot, but not this process's own: its processes can neither be seen nor
/// signalled by their numbers. False where either is unknown.
[[nodiscard]] bool is_another_namespace(const process_place& other);

/// Whether this process is in the first PID namespace of its machine. False in a container, and where it is unknown.
[[nodiscard]] bool is_in_first_pid_namespace();

enum class life : std::uint8_t { lives, ended, unknown };

/// Whether the process lives that had this id and this start there. `ended` and `lives` are certain. `in_doubt`: see
/// process_table.hpp.
[[nodiscard]] life life_of(pid_t pid, std::uint64_t start_ticks, const process_place& there, bool* in_doubt = nullptr);

} // namespace troupe_internal
