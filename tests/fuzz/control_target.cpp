// The control socket's frames in pieces of any size, and what is in them.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "engine/control_protocol.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

/// What came of a stream: the frames' contents, and how it ended.
struct reading {
  std::vector<std::string> payloads;
  bool too_long = false;
  bool partial = false;
  friend bool operator==(const reading&, const reading&) = default;
};

reading read(std::string_view stream, std::size_t piece) {
  reading r;
  frame_reader frames;
  while (!stream.empty()) {
    auto bytes = stream.substr(0, piece);
    stream.remove_prefix(bytes.size());
    while (!bytes.empty()) {
      const auto before = bytes.size();
      const auto step = frames.take(bytes);
      FUZZ_CHECK(bytes.size() < before, "no byte was taken");
      r.partial = step == frame_reader::step::partial;
      if (step == frame_reader::step::too_long) {
        r.too_long = true;
        return r;
      }
      if (step == frame_reader::step::whole)
        r.payloads.push_back(frames.payload());
    }
  }
  return r;
}

/// A message means the same after a way through JSON; texts in it are UTF-8.
void check_message(std::string_view json) {
  const auto message = parse_message(json);
  if (!message) {
    FUZZ_CHECK(message.error().code == error_code::invalid_input && !message.error().message.empty(), json);
    return;
  }
  FUZZ_CHECK(is_utf8(json), json);
  const auto frame = to_frame(*message);
  FUZZ_CHECK(frame.size() <= max_frame_bytes + 4, json);
  const auto one = read(frame, frame.size());
  FUZZ_CHECK(one.payloads.size() == 1 && !one.partial, json);
  const auto again = parse_message(one.payloads.front());
  FUZZ_CHECK(again && *again == *message, one.payloads.front());
}

} // namespace

void fuzz_control(std::string_view bytes) {
  check_message(bytes);
  const auto whole = read(bytes, bytes.size() + 1);
  FUZZ_CHECK(read(bytes, 1 + number_of(bytes) % 7) == whole, "in pieces it is another stream");
  std::size_t sum = 0;
  for (const auto& payload : whole.payloads) {
    FUZZ_CHECK(payload.size() <= max_frame_bytes, "a frame is too long");
    sum += payload.size() + 4;
    check_message(payload);
  }
  FUZZ_CHECK(sum <= bytes.size(), "more came out than went in");
}

} // namespace troupe_internal::fuzz
