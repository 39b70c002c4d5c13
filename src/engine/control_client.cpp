// send and recv that do not block, and poll() with a deadline.
#include "engine/control_client.hpp"

#include "adapters/state/state_socket.hpp"
#include "adapters/system/posix_error.hpp"
#include "base/shown_text.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace troupe_internal {

namespace {

using steady = std::chrono::steady_clock;

error closed() {
  return fail(error_code::not_found, "the connection was ended by the other side");
}

error not_understood(const std::string& why) {
  return fail(error_code::state_unusable, "what the process with the live run says is not understood: " + why);
}

error other_version(const control_hello& theirs) {
  return fail(error_code::state_unusable,
              "the live run is carried out by troupe " + visible(theirs.build) + ", whose control protocol is " +
                  (theirs.protocol > control_protocol_version ? "newer" : "older") + " (version " +
                  std::to_string(theirs.protocol) + ") than that of this troupe " TROUPE_VERSION " (version " +
                  std::to_string(control_protocol_version) + "): use the same program for both");
}

error error_of(const control_refusal& refused) {
  switch (refused.code) {
  case refusal_code::not_found:
    return fail(error_code::not_found, refused.message);
  case refusal_code::invalid_input:
    return fail(error_code::invalid_input, refused.message);
  case refusal_code::busy:
    return fail(error_code::busy, refused.message);
  case refusal_code::other_version:
  case refusal_code::not_permitted:
  case refusal_code::unavailable:
    return fail(error_code::state_unusable, refused.message);
  case refusal_code::bad_message:
  case refusal_code::internal:
    break;
  }
  return fail(error_code::internal, refused.message);
}

} // namespace

result<control_client> control_client::connect(const state_dir& dir) {
  auto fd = connect_in(dir, control_socket_name);
  if (!fd)
    return fd.error();
  control_client client(std::move(*fd));
  if (const auto said = client.send(control_hello{control_protocol_version, TROUPE_VERSION}); !said)
    return said.error();
  return client;
}

result<void> control_client::send(const control_message& message) {
  const auto frame = to_frame(message); // a request is far smaller than what a socket takes at once
  const auto put = ::send(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put == static_cast<ssize_t>(frame.size()))
    return {};
  if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
    return closed();
  return fail(error_code::io,
              "the process with the live run takes no requests: " + errno_text(put < 0 ? errno : EAGAIN));
}

result<std::optional<control_message>> control_client::take() {
  std::string_view rest = received_;
  const auto step = frame_.take(rest);
  received_.erase(0, received_.size() - rest.size());
  if (step == frame_reader::step::partial)
    return std::optional<control_message>();
  if (step == frame_reader::step::too_long)
    return not_understood("a message is too long");
  auto message = parse_message(frame_.payload());
  if (!message)
    return not_understood(message.error().message);
  if (const auto* refused = std::get_if<control_refusal>(&*message))
    return error_of(*refused);
  if (const auto* hello = std::get_if<control_hello>(&*message)) {
    if (hello->protocol != control_protocol_version)
      return other_version(*hello);
    return std::optional<control_message>();
  }
  return std::optional(std::move(*message));
}

result<std::optional<control_message>> control_client::receive(std::chrono::milliseconds patience, int also) {
  const auto until = steady::now() + patience;
  for (;;) {
    while (!received_.empty())
      if (auto message = take(); !message || *message)
        return message;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
    pollfd waits[] = {{fd_.get(), POLLIN, 0}, {also, POLLIN, 0}};
    const int ready = poll(waits, 2, left > 0 ? static_cast<int>(left) : 0);
    if (ready > 0 && waits[0].revents != 0) {
      std::array<char, 16384> buffer;
      const auto got = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && !would_block(errno)))
        return closed();
      if (got > 0)
        received_.assign(buffer.data(), static_cast<std::size_t>(got));
      if (got > 0 && left > 0)
        continue;
    }
    if ((ready > 0 && waits[1].revents != 0) || left <= 0)
      return std::optional<control_message>();
  }
}

} // namespace troupe_internal
