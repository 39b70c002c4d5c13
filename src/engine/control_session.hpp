// One client's conversation with the control server: frames in, answers out, and when it has to be closed. Knows what
// the messages mean; nothing of other clients or of runs.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "engine/control_protocol.hpp"
#include "engine/event_feed.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace troupe_internal {

/// An error as its client gets it.
[[nodiscard]] control_refusal refused(const error& e);

/// What a session has done by others.
struct control_desk {
  virtual ~control_desk() = default;
  [[nodiscard]] virtual live_runs list() = 0;
  [[nodiscard]] virtual result<run_number> cancel(const cancel_request& asked) = 0;
  /// control_session::ended() follows, perhaps before it returns. not_found if no such run is live.
  [[nodiscard]] virtual result<void> hear_of_end(run_number run) = 0;
  /// control_session::answered() of the session with this number follows, perhaps before it returns.
  virtual void submit(std::uint64_t session, const submit_request& asked) = 0;
  /// Likewise, unless this is an error.
  [[nodiscard]] virtual result<void> prioritize(std::uint64_t session, const priority_request& asked) = 0;
  /// Likewise.
  virtual void ask_trigger(std::uint64_t session, const trigger_request& asked) = 0;
  virtual void resume(std::uint64_t session, const resume_request& asked) = 0;
  virtual void ask_supervisor(std::uint64_t session, const supervisor_request& asked) = 0;
  /// The numbers of the first event that is kept, and of the next one there will be.
  struct event_span {
    std::uint64_t first = 1;
    std::uint64_t next = 1;
  };
  [[nodiscard]] virtual result<event_span> kept_events() = 0;
  /// What there is to read from the position on; control_session::committed() is called when there may be more.
  [[nodiscard]] virtual result<feed_piece> read_on(feed_position& at) = 0;
};

/// Reads no further while an answer is not taken, an end is waited for, or events are followed: so it keeps at most one
/// frame, one answer or one piece of the history, and what one look at the socket brought. One thread.
class control_session {
public:
  using moment = std::chrono::steady_clock::time_point;

  /// `fd` must not block. `number`: for answers that come later; no other session has it.
  control_session(unique_fd fd, control_desk& desk, std::chrono::milliseconds idle, moment now, std::uint64_t number);

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
  /// What it asked for is done, or refused. Matters only to the session with this number.
  void answered(std::uint64_t session, const control_message& what, moment now);
  /// There may be more events to read.
  void committed(moment now);
  [[nodiscard]] bool follows() const { return following_.has_value(); }
  /// The last answer: after it the session is over.
  void end_with(refusal_code code, std::string message);

private:
  void receive();
  void work(moment now);
  void answer(const control_message& message);
  void follow(const follow_request& asked);
  /// Says the next events, if the last ones were taken.
  void read_on(moment now);
  /// Whether nothing is read from the client, since an answer is to come.
  [[nodiscard]] bool waits() const { return waits_for_ || is_answered_later_ || following_; }
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
  std::optional<feed_position> following_;
  bool has_more_ = false; ///< to follow: there are events to read
  bool is_answered_later_ = false;
  const std::uint64_t number_;
  bool greeted_ = false;
  bool closing_ = false; ///< nothing more is read
  bool gone_ = false;
};

} // namespace troupe_internal
