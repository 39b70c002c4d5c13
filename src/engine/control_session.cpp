// recv and send that do not block; one request at a time.
#include "engine/control_session.hpp"

#include "adapters/system/posix_error.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <variant>

namespace troupe_internal {

namespace {

refusal_code code_of(error_code code) {
  switch (code) {
  case error_code::not_found:
    return refusal_code::not_found;
  case error_code::invalid_input:
    return refusal_code::invalid_input;
  default:
    return refusal_code::internal;
  }
}

control_refusal refused(const error& e) {
  return {code_of(e.code), e.message};
}

} // namespace

control_session::control_session(unique_fd fd, control_desk& desk, std::chrono::milliseconds idle, moment now)
    : fd_(std::move(fd)), desk_(desk), idle_(idle), due_(now + idle) {}

short control_session::events() const {
  if (!unsent_.empty())
    return POLLOUT;
  return waits_for_ ? POLLRDHUP : POLLIN;
}

std::optional<control_session::moment> control_session::due() const {
  return waits_for_ && unsent_.empty() ? std::nullopt : std::optional(due_);
}

bool control_session::over(moment now) const {
  if (gone_ || (closing_ && unsent_.empty()))
    return true;
  const auto at = due();
  return at && now >= *at;
}

void control_session::turn(short happened, moment now) {
  constexpr int lost = POLLERR | POLLHUP;
  if ((happened & POLLNVAL) != 0 || (waits_for_ && (happened & (POLLRDHUP | lost)) != 0)) {
    gone_ = true;
    return;
  }
  if (!unsent_.empty()) {
    send();
    if (!unsent_.empty())
      return;
    due_ = now + idle_;
  } else if ((happened & (POLLIN | lost)) != 0 && received_.empty() && !waits_for_) {
    receive();
  }
  work(now);
}

void control_session::receive() {
  std::array<char, 16384> buffer;
  const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0)
    received_.assign(buffer.data(), static_cast<std::size_t>(got));
  else
    gone_ = got == 0 || !would_block(errno);
}

void control_session::work(moment now) {
  while (!closing_ && !gone_ && !waits_for_ && unsent_.empty() && !received_.empty()) {
    std::string_view rest = received_;
    const auto step = frame_.take(rest);
    received_.erase(0, received_.size() - rest.size());
    if (step == frame_reader::step::partial)
      return; // its time goes on: a client that sends byte after byte is closed like a silent one
    due_ = now + idle_;
    if (step == frame_reader::step::too_long)
      return end_with(refusal_code::bad_message,
                      "a message is longer than the " + std::to_string(max_frame_bytes) + " bytes allowed");
    const auto message = parse_message(frame_.payload());
    if (!message)
      return end_with(refusal_code::bad_message, message.error().message);
    answer(*message);
  }
}

void control_session::answer(const control_message& message) {
  if (const auto* hello = std::get_if<control_hello>(&message)) {
    greeted_ = true;
    say(control_hello{control_protocol_version, TROUPE_VERSION});
    if (hello->protocol != control_protocol_version)
      end_with(refusal_code::other_version,
               "this is troupe " TROUPE_VERSION ", which speaks version " + std::to_string(control_protocol_version) +
                   " of the control protocol, and the client speaks version " + std::to_string(hello->protocol));
    return;
  }
  if (!greeted_)
    return end_with(refusal_code::bad_message, "the first message has to be \"hello\"");
  if (std::holds_alternative<list_request>(message))
    return say(desk_.list());
  if (const auto* cancel = std::get_if<cancel_request>(&message)) {
    const auto asked = desk_.cancel(*cancel);
    return asked ? say(run_cancelling{*asked}) : say(refused(asked.error()));
  }
  if (const auto* wait = std::get_if<wait_request>(&message)) {
    waits_for_ = wait->run; // before it is asked for: it may have ended by then
    if (const auto heard = desk_.hear_of_end(wait->run); !heard) {
      waits_for_.reset();
      say(refused(heard.error()));
    }
    return;
  }
  end_with(refusal_code::bad_message, "this message is an answer, and the server has asked nothing");
}

void control_session::ended(const run_ended& what, moment now) {
  if (waits_for_ != what.run)
    return;
  waits_for_.reset();
  due_ = now + idle_;
  say(what);
  work(now);
}

void control_session::end_with(refusal_code code, std::string message) {
  closing_ = true;
  say(control_refusal{code, std::move(message)});
}

void control_session::say(const control_message& message) {
  unsent_ += to_frame(message);
  send();
}

void control_session::send() {
  while (!unsent_.empty()) {
    const auto put = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && would_block(errno))
      return;
    if (put < 0) { // it has gone; what it asked for before that is done all the same
      unsent_.clear();
      return;
    }
    unsent_.erase(0, static_cast<std::size_t>(put));
  }
}

} // namespace troupe_internal
