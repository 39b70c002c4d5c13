// The service manager that started this process, if one did: what it is told by sd_notify's protocol, and which sockets
// it has handed over. Knows no libsystemd, and nothing of what this process does.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "base/time.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Any thread; but it is made before there is another one.
class service_manager {
public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and takes them out of
  /// the environment, so that no command inherits them.
  [[nodiscard]] static service_manager from_environment();
  service_manager() = default;
  /// For tests: a socket's name as in NOTIFY_SOCKET, and the watchdog's time.
  service_manager(std::string address, std::optional<duration> watchdog)
      : socket_(std::move(address)), watchdog_(watchdog) {}
  service_manager(service_manager&& other) noexcept
      : socket_(std::move(other.socket_)), watchdog_(other.watchdog_), sockets_(std::move(other.sockets_)) {}

  /// Whether anybody is told anything.
  [[nodiscard]] bool listens() const { return !socket_.empty(); }
  /// How often the watchdog wants a word at least; none: it wants none.
  [[nodiscard]] std::optional<duration> watchdog() const { return watchdog_; }

  void ready(std::string_view status) const;
  /// It loads its settings again; ready() follows.
  void reloading() const;
  void stopping(std::string_view status) const;
  /// One line for people; the same line again is not sent.
  void status(std::string_view line) const;
  void alive() const;
  /// To start or to stop takes longer: at least so long from now.
  void extend(duration by) const;

  struct socket {
    unique_fd fd;
    std::string name;   ///< FileDescriptorName= of its unit; "unknown" where there is none
    bool local = false; ///< a Unix socket
  };
  /// Listening sockets that were handed over, once.
  [[nodiscard]] std::vector<socket> take_sockets() { return std::exchange(sockets_, {}); }

private:
  void send(const std::string& text) const;

  std::string socket_;
  std::optional<duration> watchdog_;
  std::vector<socket> sockets_;
  mutable std::mutex mutex_;
  mutable std::string last_status_; ///< under mutex_
};

} // namespace troupe_internal
