// One client's conversation with the control server: frames in, answers out, and when it has to be closed. Knows what
// the messages mean; nothing of other clients or of runs.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "engine/control_protocol.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace troupe_internal {

/// What a session has done by others.
struct control_desk {
  virtual ~control_desk() = default;
  [[nodiscard]] virtual live_runs list() = 0;
  [[nodiscard]] virtual result<run_number> cancel(const cancel_request& asked) = 0;
  /// control_session::ended() follows, perhaps before it returns. not_found if no such run is live.
  [[nodiscard]] virtual result<void> hear_of_end(run_number run) = 0;
};

/// Reads no further while an answer is not taken, or an end is waited for: so it keeps at most one frame, one answer
/// and what one look at the socket brought. One thread.
class control_session {
public:
  using moment = std::chrono::steady_clock::time_point;

  /// `fd` must not block.
  control_session(unique_fd fd, control_desk& desk, std::chrono::milliseconds idle, moment now);

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// What poll() is to wait for.
  [[nodiscard]] short events() const;
  /// When it is over by itself.
  [[nodiscard]] std::optional<moment> due() const;
  /// Whether it is to be closed.
  [[nodiscard]] bool over(moment now) const;
  /// After poll(), which said `happened`.
  void turn(short happened, moment now);
  /// A run has ended. Matters only where the client waits for that.
  void ended(const run_ended& what, moment now);
  /// The last answer: after it the session is over.
  void end_with(refusal_code code, std::string message);

private:
  void receive();
  void work(moment now);
  void answer(const control_message& message);
  void say(const control_message& message);
  void send();

  unique_fd fd_;
  control_desk& desk_;
  std::chrono::milliseconds idle_;
  moment due_;
  frame_reader frame_;
  std::string received_; ///< and not yet looked at
  std::string unsent_;
  std::optional<run_number> waits_for_;
  bool greeted_ = false;
  bool closing_ = false; ///< nothing more is read
  bool gone_ = false;
};

} // namespace troupe_internal
