// A Unix socket in a state's folder: how it is made, found and removed, and which user is at its other end. Knows
// nothing of what is said through it.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <sys/stat.h>

#include <string>

namespace troupe_internal {

/// A socket that listens, and the entry that leads to it.
struct state_socket {
  unique_fd fd;
  dev_t device = 0; ///< of the entry, as are the other two
  ino_t inode = 0;
};

/// For the holder of the state's lock. Makes the entry (0600, whatever the umask) and listens; a socket of this user
/// that has the name was left by a dead process and is removed. The descriptor does not block and is closed at exec.
/// The folder is used by its descriptor, so that its path may have any length. Errors: state_unusable if the name is
/// taken by something else, which stays; io if the file system has no sockets, or the system refuses one.
[[nodiscard]] result<state_socket> listen_in(const state_dir& dir, const std::string& name, int backlog);
/// Removes the entry, if it is still the one that listen_in() made.
void remove_socket(const state_dir& dir, const std::string& name, const state_socket& socket);

/// Connects to a socket of this user in a folder of this user; waits for a second at most while too many others do.
/// The descriptor does not block and is closed at exec.
/// Errors: not_found if there is no such entry or nobody listens; state_unusable for an entry that is no socket of this
/// user; io if the system refuses a socket, or still too many wait.
[[nodiscard]] result<unique_fd> connect_in(const state_dir& dir, const std::string& name);

/// Whether the process at the other end, when it connected or began to listen, was of this user or root.
[[nodiscard]] bool peer_is_trusted(int socket);

/// For the holder of the state's lock: removes an entry of this user of this kind (S_IFIFO, S_IFSOCK). Anything else
/// that has the name stays.
void remove_left_over(const state_dir& dir, const std::string& name, mode_t kind);

} // namespace troupe_internal
