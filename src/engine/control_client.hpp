// The other side of the control socket: asks a process with live runs. Knows the protocol; nothing of runs.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "engine/control_protocol.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace troupe_internal {

/// One connection. Nothing waits for longer than it was told to, whatever the other side does. One thread.
class control_client {
public:
  /// Connects and says hello. not_found if nobody listens; state_unusable if what has the socket's name is none of
  /// this user's, or the one who listens is another user; io if the system refuses, or too many clients wait.
  [[nodiscard]] static result<control_client> connect(const state_dir& dir);

  /// not_found if the other side has ended the connection; io if it takes nothing now.
  [[nodiscard]] result<void> send(const control_message& message);
  /// The next answer; nullopt if none has come within `patience`, or `also` (a descriptor) became readable before.
  /// Errors: what the other side has refused (not_found, invalid_input, internal; io: it has too many clients);
  /// state_unusable: it is another version of Troupe and speaks another protocol, or what it says is none;
  /// not_found: it has ended the connection.
  [[nodiscard]] result<std::optional<control_message>> receive(std::chrono::milliseconds patience, int also = -1);

private:
  explicit control_client(unique_fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] result<std::optional<control_message>> take();

  unique_fd fd_;
  frame_reader frame_;
  std::string received_; ///< and not yet looked at
};

} // namespace troupe_internal
