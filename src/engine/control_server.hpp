// Listens, while runs live, for those who ask something of them: this process's signals, and other processes through
// the state's control socket. Knows the protocol and a control_port; nothing of runs.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "engine/control_port.hpp"
#include "engine/project.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace troupe_internal {

/// What clients may take of the server.
struct control_limits {
  std::size_t clients = 64; ///< one more is refused
  /// A client is closed when it has neither sent a whole message nor taken its answer for so long. One that waits for
  /// the end of a run is not.
  std::chrono::milliseconds idle = std::chrono::seconds(10);
};

/// One thread that waits for all of them. A client can delay no other one: nothing blocks, and each has room for one
/// frame and one answer. Where the state's file system has no sockets it hears the signals alone.
class control_server {
public:
  /// For the holder of the state's lock. `on_stop(cause, at_once)` is called for each of this process's stop requests,
  /// `port` for what clients ask, both on the server's thread. Throws std::system_error where the system has no
  /// descriptor or thread left.
  control_server(state_dir::handle dir, stop_request& stop, control_port& port,
                 std::function<void(stop_cause, bool)> on_stop, control_limits limits = {});
  /// Clients that wait for a run which has ended are answered first. The socket is removed.
  ~control_server();
  control_server(const control_server&) = delete;
  control_server& operator=(const control_server&) = delete;

  /// Why other processes cannot reach these runs, for people: something else has the socket's name. Empty if they can,
  /// and where there can be no sockets.
  [[nodiscard]] const std::string& problem() const;

private:
  class inside;
  std::unique_ptr<inside> inside_;
  std::thread thread_;
};

} // namespace troupe_internal
