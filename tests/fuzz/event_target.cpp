// Records of events: any bytes are events or an error, what was read is written and read again alike, and events made
// from a seed survive the way there and back.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/utf8.hpp"
#include "core/journal/event_codec.hpp"
#include "core/journal/event_json.hpp"
#include "core/journal/memory_tables.hpp"
#include "support/random_events.hpp"

#include <boost/json.hpp>

#include <string>
#include <vector>

namespace troupe_internal::fuzz {
namespace {

std::string encoded(const std::vector<event>& events) {
  event_encoder encoder;
  for (const auto& e : events)
    encoder.add(e);
  return std::string(encoder.bytes());
}

/// As many as can be read; whether that is all.
bool decode_all(std::string_view bytes, std::vector<event>& events) {
  event_decoder decoder(bytes);
  while (!decoder.done()) {
    const auto before = decoder.left();
    auto e = decoder.next();
    if (!e) {
      FUZZ_CHECK(e.error().code == error_code::state_unusable && !e.error().message.empty(), e.error().message);
      FUZZ_CHECK(!decoder.next(), "after an error there is nothing more");
      return false;
    }
    FUZZ_CHECK(decoder.left() < before, "each event takes a byte or more");
    events.push_back(std::move(*e));
  }
  return true;
}

void check_round_trip(const std::vector<event>& events) {
  const auto bytes = encoded(events);
  std::vector<event> again;
  FUZZ_CHECK(decode_all(bytes, again), "what was written can be read");
  FUZZ_CHECK(again == events, "what is read is what was written");
  FUZZ_CHECK(encoded(again) == bytes, "the same events are the same bytes");
}

} // namespace

void fuzz_event(std::string_view bytes) {
  input in(bytes);
  if (in.byte() == 0xFF) { // events from a seed
    test::random_filler random(number_of(in.rest()));
    std::vector<event> events;
    for (auto count = 1 + random.below(6); count > 0; --count)
      events.push_back(random.any_event());
    check_round_trip(events);
    // Cut short, they are refused, or fewer.
    const auto whole = encoded(events);
    std::vector<event> fewer;
    decode_all(whole.substr(0, random.below(whole.size())), fewer);
    FUZZ_CHECK(fewer.size() < events.size() && std::equal(fewer.begin(), fewer.end(), events.begin()), "a prefix");
    return;
  }
  std::vector<event> events;
  decode_all(bytes, events);
  check_round_trip(events);
  memory_tables tables;
  projector fold(tables);
  std::uint64_t seq = 0;
  for (const auto& e : events) {
    const auto line = event_to_json(++seq, e);
    boost::system::error_code wrong;
    FUZZ_CHECK(is_utf8(line) && boost::json::parse(line, wrong).is_object() && !wrong, line);
    // Any event is folded, or breaks a rule that is told.
    const auto done = fold.apply(tables.state.last_seq + 1, e);
    FUZZ_CHECK(done.has_value() || done.error().code == error_code::internal, line);
  }
}

} // namespace troupe_internal::fuzz
