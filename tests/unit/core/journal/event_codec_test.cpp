// Events and records through bytes: nothing lost, nothing trusted, little spent.
#include "core/journal/event_codec.hpp"
#include "core/journal/fields.hpp"
#include "core/model/delta.hpp"
#include "support/random_events.hpp"

#include <doctest/doctest.h>

using namespace troupe_internal;
using troupe_internal::test::random_filler;

namespace {

template <class T>
void check_record_round_trip(random_filler& random) {
  const auto value = random.any<T>();
  std::string bytes;
  encode(value, bytes);
  auto back = random.any<T>(); // whatever was in it before must not shine through
  REQUIRE(decode(bytes, back) == nullptr);
  REQUIRE(back == value);
  REQUIRE(decode(bytes + '\0', back) != nullptr);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE(decode(std::string_view(bytes).substr(0, length), back) != nullptr);
  bytes[random.below(bytes.size())] ^= static_cast<char>(1U << random.below(8));
  (void)decode(bytes, back); // any answer, no crash
}

std::string encoded(const event& e) {
  event_encoder encoder;
  encoder.add(e);
  return std::string(encoder.bytes());
}

/// Of bytes that should hold exactly one event.
result<event> decoded(std::string_view bytes) {
  event_decoder decoder(bytes);
  auto e = decoder.next();
  if (e && !decoder.done())
    return fail(error_code::state_unusable, "more than one event");
  return e;
}

digest some_digest(int n) {
  return quick_digest("content " + std::to_string(n));
}

} // namespace

TEST_CASE("any event survives its bytes") {
  random_filler random(1);
  for (int round = 0; round < 20'000; ++round) {
    const auto e = random.any_event();
    const auto back = decoded(encoded(e));
    REQUIRE(back.has_value());
    REQUIRE(*back == e);
  }
}

TEST_CASE("the events of one record are decoded one after the other") {
  random_filler random(2);
  event_encoder encoder;
  for (int round = 0; round < 100; ++round) {
    encoder.clear();
    std::vector<event> events;
    for (int i = 0; i < 20; ++i)
      encoder.add(events.emplace_back(random.any_event()));
    event_decoder decoder(encoder.bytes());
    for (const auto& e : events)
      REQUIRE(decoder.next().value() == e);
    CHECK(decoder.done());
    CHECK_FALSE(decoder.next().has_value());
  }
}

TEST_CASE("a truncated event is an error at every length, and one byte too many is too") {
  random_filler random(3);
  for (int round = 0; round < 1'000; ++round) {
    auto bytes = encoded(random.any_event());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto back = decoded(std::string_view(bytes).substr(0, length));
      REQUIRE_FALSE(back.has_value());
      REQUIRE(back.error().code == error_code::state_unusable);
    }
    REQUIRE_FALSE(decoded(bytes + '\0').has_value());
  }
}

TEST_CASE("flipped and random bytes give an event or an error, never a crash") {
  random_filler random(4);
  int errors = 0;
  for (int round = 0; round < 50'000; ++round) {
    auto bytes = encoded(random.any_event());
    for (auto flips = 1 + random.below(3); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<char>(1U << random.below(8));
    errors += decoded(bytes) ? 0 : 1;
    for (auto& c : bytes)
      c = static_cast<char>(random.below(256));
    bytes[0] = static_cast<char>(random.below(16));
    errors += decoded(bytes) ? 0 : 1;
  }
  CHECK(errors > 1'000);
}

TEST_CASE("a list cannot claim more items than there are bytes") {
  auto bytes = encoded(files_observed{});
  bytes.back() = '\xFF'; // the count: 2^63 - 1
  bytes.append(7, '\xFF');
  bytes += '\x7F';
  CHECK(decoded(bytes).error().message == "an event cannot be read: it ends too early");
}

TEST_CASE("what this version does not know is refused by name") {
  CHECK(decoded(std::string(1, 14)).error().message == "an event cannot be read: type 14 is unknown");
  auto bytes = encoded(run_stopping{run_number(1U), {}, stop_cause::signal});
  bytes.back() = 5;
  CHECK(decoded(bytes).error().message == "an event cannot be read: it has a kind this version does not know");
  bytes = encoded(attempt_finished{run_number(1U), asset_id(1U), 1, {}});
  CHECK(decoded(bytes).has_value());
  bytes.back() = '\x7F';
  bytes += '\xFF';
  CHECK_FALSE(decoded(bytes).has_value());
  bytes.assign("\x0D", 1); // writer_closed
  CHECK_FALSE(decoded(bytes + "1234567").has_value());
  CHECK(decoded(bytes + "12345678").has_value());
}

TEST_CASE("numbers beyond their type's range are refused") {
  std::string bytes("\x0A\xFF\xFF\xFF\xFF\x1F", 6); // run_stopping of a run beyond 32 bits
  bytes += std::string(9, '\0');
  CHECK(decoded(bytes).error().message == "an event cannot be read: a number in it is too large");
  bytes = std::string("\x0A", 1) + std::string(9, '\xFF') + '\x02' + std::string(9, '\0'); // beyond 64 bits
  CHECK(decoded(bytes).error().message == "an event cannot be read: a number in it is too large");
}

TEST_CASE("projection records survive their bytes, whatever was in the memory before") {
  random_filler random(5);
  for (int round = 0; round < 2'000; ++round) {
    check_record_round_trip<asset_record>(random);
    check_record_round_trip<run_record>(random);
    check_record_round_trip<file_record>(random);
    check_record_round_trip<open_attempt>(random);
    check_record_round_trip<state_info>(random);
    check_record_round_trip<run_queued>(random);
    check_record_round_trip<definition_record>(random);
  }
}

TEST_CASE("a re-run of an asset with one changed input and one output stays well under 300 bytes, LMDB included") {
  // Late in the life of a big state: ids and times as large as they get.
  const run_number run(100'000U);
  const asset_id asset(90'000U);
  const auto now = from_unix_ns(1'790'000'000'123'456'789);
  fingerprint from;
  from.command = some_digest(1);
  from.inputs = {{path_id(150'001U), some_digest(2)}, {path_id(150'007U), some_digest(3)}};
  production made;
  made.outputs = {{path_id(200'123U), some_digest(4)}};
  made.data_version = some_digest(5);
  const auto first = apply_delta(nullptr, make_delta(nullptr, from, made, {}), run, 1, now);
  from.inputs[1].content = some_digest(6);
  made.outputs[0].content = some_digest(7);
  made.data_version = some_digest(8);

  attempt_started started{run, asset, 1, now, {{reason_kind::input_changed, "data/raw/packages.txt"}}};
  started.waits = {{wait_kind::asset, asset_id(89'999U), {}, {}, 7'200'000}, {wait_kind::worker, {}, {}, {}, 90'000}};
  attempt_spawned spawned{run, asset, 1, 4'000'000, 1'000'000'000};
  attempt_finished finished{run, asset, 1, now + std::chrono::seconds(3)};
  finished.has_log = true;
  finished.made = make_delta(&first, from, made, std::chrono::nanoseconds(2'987'654'321));
  finished.resources = {std::chrono::microseconds(2'345'678),
                        std::chrono::microseconds(345'678),
                        12'345'678,
                        false,
                        1'234'567,
                        1'234'567};
  files_observed observed;
  const auto ns = to_unix_ns(now);
  observed.files = {
      {path_id(200'123U), {{file_kind::file, 1'234'567, ns, ns + 4'000'000, 12'345'678}, some_digest(7)}}};

  // Of these, 14 bytes are what it waited for: hours for what it needs, a minute and a half for a worker.
  // A record costs 8 bytes of node header, 2 of page slot, 8 of key, 4 of check, and a byte of alignment.
  const auto cost = [](const std::vector<std::vector<event>>& records) {
    std::size_t total = 0;
    for (const auto& events : records) {
      event_encoder record;
      for (const auto& e : events)
        record.add(e);
      total += record.bytes().size() + 22 + record.bytes().size() % 2;
    }
    return total;
  };
  CHECK(cost({{started}, {spawned}, {observed, finished}}) < 275); // nothing else going on
  CHECK(cost({{started, spawned, observed, finished}}) < 225);     // commits that carry many assets
}

TEST_CASE("an unchanged list costs a materialization nothing") {
  fingerprint from;
  for (unsigned i = 0; i < 1'000; ++i)
    from.inputs.push_back({path_id(i), some_digest(static_cast<int>(i))});
  production made;
  made.data_version = some_digest(1);
  const auto first = apply_delta(nullptr, make_delta(nullptr, from, made, {}), run_number(1U), 1, {});
  attempt_finished finished;
  finished.made = make_delta(&first, from, made, std::chrono::seconds(1));
  auto bytes = encoded(finished);
  CHECK(bytes.size() < 32);
}

TEST_CASE("behind an event that cannot be read nothing is read") {
  event_encoder encoder;
  encoder.add(writer_closed{});
  const std::string bytes = "\x1f" + std::string(encoder.bytes()); // a type there is not, then one there is
  event_decoder decoder(bytes);
  CHECK_FALSE(decoder.next().has_value());
  CHECK_FALSE(decoder.next().has_value());
  CHECK(decoder.done());
}
