// recv and send that do not block; one request at a time.
#include "engine/control_session.hpp"

#include "adapters/system/posix_error.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
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
  case error_code::busy:
    return refusal_code::busy;
  case error_code::state_unusable:
  case error_code::stopped:
  case error_code::io:
    return refusal_code::unavailable;
  default:
    return refusal_code::internal;
  }
}

} // namespace

control_refusal refused(const error& e) {
  return {code_of(e.code), e.message};
}

control_session::control_session(unique_fd fd, control_desk& desk, std::chrono::milliseconds idle, moment now,
                                 std::uint64_t number)
    : fd_(std::move(fd)), desk_(desk), idle_(idle), due_(now + idle), number_(number) {}

short control_session::events() const {
  if (!unsent_.empty() || has_more_)
    return POLLOUT;
  return waits() ? POLLRDHUP : POLLIN;
}

std::optional<control_session::moment> control_session::due() const {
  return waits() && unsent_.empty() ? std::nullopt : std::optional(due_);
}

bool control_session::over(moment now) const {
  if (gone_ || (closing_ && unsent_.empty()))
    return true;
  const auto at = due();
  return at && now >= *at;
}

void control_session::turn(short happened, moment now) {
  constexpr int lost = POLLERR | POLLHUP;
  if ((happened & POLLNVAL) != 0 || (waits() && (happened & (POLLRDHUP | lost)) != 0)) {
    gone_ = true;
    return;
  }
  if (!unsent_.empty()) {
    send();
    if (!unsent_.empty())
      return;
    due_ = now + idle_;
  } else if ((happened & (POLLIN | lost)) != 0 && received_.empty() && !waits()) {
    receive();
  }
  read_on(now);
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
  while (!closing_ && !gone_ && !waits() && unsent_.empty() && !received_.empty()) {
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
  if (const auto* asked = std::get_if<submit_request>(&message)) {
    is_answered_later_ = true;
    return desk_.submit(number_, *asked);
  }
  if (const auto* asked = std::get_if<priority_request>(&message)) {
    is_answered_later_ = true;
    if (const auto heard = desk_.prioritize(number_, *asked); !heard) {
      is_answered_later_ = false;
      say(refused(heard.error()));
    }
    return;
  }
  if (const auto* asked = std::get_if<trigger_request>(&message)) {
    is_answered_later_ = true;
    return desk_.ask_trigger(number_, *asked);
  }
  if (const auto* asked = std::get_if<resume_request>(&message)) {
    is_answered_later_ = true;
    return desk_.resume(number_, *asked);
  }
  if (const auto* asked = std::get_if<supervisor_request>(&message)) {
    is_answered_later_ = true;
    return desk_.ask_supervisor(number_, *asked);
  }
  if (const auto* asked = std::get_if<follow_request>(&message))
    return follow(*asked);
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

void control_session::answered(std::uint64_t session, const control_message& what, moment now) {
  if (session != number_ || !is_answered_later_)
    return;
  is_answered_later_ = false;
  due_ = now + idle_;
  say(what);
  work(now);
}

void control_session::follow(const follow_request& asked) {
  const auto kept = desk_.kept_events();
  if (!kept)
    return say(refused(kept.error()));
  following_ = feed_position{std::max(asked.from.value_or(kept->next), kept->first), asked.run};
  has_more_ = true; // perhaps
  say(now_following{following_->next});
}

void control_session::committed(moment now) {
  if (!following_)
    return;
  has_more_ = true;
  read_on(now);
  work(now);
}

void control_session::read_on(moment now) {
  if (!following_ || !has_more_ || !unsent_.empty() || gone_ || closing_)
    return;
  const auto piece = desk_.read_on(*following_);
  if (!piece) {
    const auto why = refused(piece.error());
    following_.reset();
    has_more_ = false;
    return end_with(why.code, why.message);
  }
  has_more_ = piece->more;
  for (const auto& one : piece->lines)
    unsent_ += to_frame(followed_event{one.seq, one.line});
  if (piece->ended) {
    unsent_ += to_frame(run_ended{*following_->run, *piece->ended});
    following_.reset();
    has_more_ = false;
  }
  due_ = now + idle_;
  send();
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
