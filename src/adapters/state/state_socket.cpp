// socket, bind and connect through /proc/self/fd, SO_PEERCRED.
#include "adapters/state/state_socket.hpp"

#include "adapters/system/posix_error.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace troupe_internal {
namespace {

constexpr mode_t socket_mode = 0600;
/// While as many wait to be accepted as the one who listens lets wait.
constexpr timeval patience_to_connect = {1, 0};

error refused_by_system(const state_dir& dir, const std::string& name, int error_number) {
  return fail(error_code::io, "cannot use the socket " + dir.path_of(name) + ": " + errno_text(error_number));
}

/// Without /proc the folder's own path is used, and that may be too long.
result<sockaddr_un> address_of(const state_dir& dir, const std::string& name) {
  const auto path = dir.path_for_library(name);
  if (!path)
    return path.error();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path->size() >= sizeof address.sun_path)
    return refused_by_system(dir, name, ENAMETOOLONG);
  std::memcpy(address.sun_path, path->c_str(), path->size() + 1);
  return address;
}

unique_fd make_socket() {
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd && fd.lift_above_standard() ? std::move(fd) : unique_fd();
}

/// The same layout on all systems that have AF_UNIX; the call wants the general type.
const sockaddr* general(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool never_block(const unique_fd& fd) {
  return ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0; // a new socket has no other such flag
}

bool is_own(const struct stat& info, mode_t kind) {
  return (info.st_mode & S_IFMT) == kind && info.st_uid == ::geteuid();
}

} // namespace

result<state_socket> listen_in(const state_dir& dir, const std::string& name, int backlog) {
  const auto address = address_of(dir, name);
  if (!address)
    return address.error();
  state_socket out{make_socket()};
  if (!out.fd || !never_block(out.fd))
    return refused_by_system(dir, name, errno);
  remove_left_over(dir, name, S_IFSOCK);
  // The entry gets the socket's own mode, less the umask: at no moment may others connect.
  if (::fchmod(out.fd.get(), socket_mode) != 0 || ::bind(out.fd.get(), general(*address), sizeof *address) != 0) {
    const int why = errno;
    if (const auto info = dir.look(name); why == EADDRINUSE && info) {
      const auto kind = dir.kind_words(info->st_mode);
      return dir.refused(name, S_ISSOCK(info->st_mode)
                                   ? "belongs to " + user_words(info->st_uid)
                                   : "is " + (kind.empty() ? "a file" : kind) + ", not a socket of Troupe's");
    }
    return refused_by_system(dir, name, why);
  }
  auto info = dir.look(name);
  if (info && is_own(*info, S_IFSOCK) && (info->st_mode & socket_mode) != socket_mode && // the umask has taken them
      ::fchmodat(dir.descriptor(), name.c_str(), socket_mode, 0) != 0)
    info.reset();
  if (!info || !is_own(*info, S_IFSOCK) || ::listen(out.fd.get(), backlog) != 0) {
    const int why = errno;
    remove_left_over(dir, name, S_IFSOCK);
    return refused_by_system(dir, name, why);
  }
  out.device = info->st_dev;
  out.inode = info->st_ino;
  return out;
}

void remove_socket(const state_dir& dir, const std::string& name, const state_socket& socket) {
  const auto info = dir.look(name);
  if (info && info->st_dev == socket.device && info->st_ino == socket.inode)
    static_cast<void>(dir.remove(name));
}

result<unique_fd> connect_in(const state_dir& dir, const std::string& name) {
  if (!dir.ours()) // somebody else could swap the entry after it was looked at
    return fail(error_code::state_unusable, "state " + dir.path() + " is not this user's alone");
  const auto info = dir.look(name);
  if (!info)
    return fail(error_code::not_found, dir.path_of(name) + " does not exist");
  if (!is_own(*info, S_IFSOCK)) {
    const auto kind = dir.kind_words(info->st_mode);
    return dir.refused(name, S_ISSOCK(info->st_mode)
                                 ? "belongs to " + user_words(info->st_uid)
                                 : "is " + (kind.empty() ? "a file" : kind) + ", not a socket of Troupe's");
  }
  const auto address = address_of(dir, name);
  if (!address)
    return address.error();
  auto fd = make_socket();
  if (!fd)
    return refused_by_system(dir, name, errno);
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience_to_connect, sizeof patience_to_connect));
  if (::connect(fd.get(), general(*address), sizeof *address) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT)
      return fail(error_code::not_found, "nobody listens at " + dir.path_of(name));
    return refused_by_system(dir, name, errno);
  }
  if (!never_block(fd))
    return refused_by_system(dir, name, errno);
  if (!peer_is_trusted(fd.get()))
    return fail(error_code::state_unusable, "who listens at " + dir.path_of(name) + " is another user");
  return fd;
}

bool peer_is_trusted(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && size == sizeof peer &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

void remove_left_over(const state_dir& dir, const std::string& name, mode_t kind) {
  if (const auto info = dir.look(name); info && is_own(*info, kind))
    static_cast<void>(dir.remove(name));
}

} // namespace troupe_internal
