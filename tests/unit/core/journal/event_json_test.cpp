// Events as JSON lines.
#include "base/json_writer.hpp"
#include "core/journal/event_json.hpp"
#include "support/random_events.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace troupe_internal;
using troupe_internal::test::random_filler;

TEST_CASE("an event prints as one line of JSON with names for its ids") {
  event_names names;
  names.asset = [](asset_id id) { return id.value == 3 ? std::string_view("demo/report") : std::string_view(); };
  names.path = [](path_id) { return std::string_view("demo/out/\"a\".txt"); };
  attempt_finished e{run_number(42U), asset_id(3U), 2, from_unix_ns(1'769'847'330'250'999'999)};
  e.outcome = outcome_kind::exited;
  e.exit_code = 7;
  e.message = "line\n\x01";
  CHECK(event_to_json(9, e, names) ==
        R"({"seq":9,"type":"attempt_finished","run":42,"asset":"demo/report","attempt":2,)"
        R"("at":"2026-01-31T08:15:30.250Z","outcome":"exited","exit_code":7,"message":"line\n\u0001"})");
  e.outcome = outcome_kind::succeeded;
  e.exit_code = 0;
  e.message.clear();
  e.asset = asset_id(4U);
  e.made.emplace();
  e.made->took = std::chrono::microseconds(1500);
  e.made->outputs = {{path_id(1U), digest{}}};
  CHECK(event_to_json(9, e, names) ==
        R"({"seq":9,"type":"attempt_finished","run":42,"asset":"#4","attempt":2,"at":"2026-01-31T08:15:30.250Z",)"
        R"("outcome":"succeeded","made":{"took_ms":1.500,"outputs":[{"path":"demo/out/\"a\".txt",)"
        R"("content":"00000000000000000000000000000000"}]}})");
  run_finished f{run_number(1U), from_unix_ns(0), run_status::failed};
  f.counts[static_cast<std::size_t>(asset_status::blocked)] = 2;
  f.counts[static_cast<std::size_t>(asset_status::failed)] = 1;
  CHECK(event_to_json(1, f) == R"({"seq":1,"type":"run_finished","run":1,"at":"1970-01-01T00:00:00.000Z",)"
                               R"("status":"failed","counts":{"failed":1,"blocked":2}})");
}

TEST_CASE("numbers of 64 bits are text: most readers of JSON take numbers for doubles") {
  run_started started;
  started.run = run_number(1U);
  started.definitions = {18'446'744'073'709'551'615U, 0};
  CHECK(event_to_json(1, started).find(R"("definitions":["18446744073709551615","0"])") != std::string::npos);
  attempt_spawned spawned{run_number(1U), asset_id(0U), 1, 4242, 9'007'199'254'740'993U};
  const auto text = event_to_json(1, spawned);
  CHECK(text.find(R"("start_ticks":"9007199254740993")") != std::string::npos);
  CHECK(text.find(R"("process_group":4242)") != std::string::npos);
}

TEST_CASE("any event prints as JSON that a parser accepts, on one line") {
  random_filler random(21);
  for (int round = 0; round < 5'000; ++round) {
    const auto e = random.any_event();
    const auto text = event_to_json(7, e);
    REQUIRE(text.find('\n') == std::string::npos);
    boost::system::error_code failed;
    const auto json = boost::json::parse(text, failed);
    REQUIRE_FALSE(failed);
    REQUIRE(json.at("type").as_string() == std::string(type_name(e)));
  }
}

TEST_CASE("bytes that are not UTF-8 become U+FFFD") {
  const auto quoted = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  CHECK(quoted("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") == "\"h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
  CHECK(quoted("a\xFF"
               "b\xC3") == "\"a\\ufffd"
                           "b\\ufffd\"");
  CHECK(quoted("\xED\xA0\x80") == "\"\\ufffd\\ufffd\\ufffd\""); // a surrogate
  CHECK(quoted("\xE2\x80") == "\"\\ufffd\"");                   // cut short: one, as in all documents
  CHECK(quoted("\xC0\xAF\x7F") == "\"\\ufffd\\ufffd\\u007f\""); // overlong
  CHECK(quoted("\"\\\t") == "\"\\\"\\\\\\t\"");
}

TEST_CASE("every event type and enumeration value has its word") {
  random_filler random(22);
  for (int round = 0; round < 500; ++round)
    CHECK_FALSE(type_name(random.any_event()).empty());
  CHECK(event_type_name(0) == "names_interned");
  CHECK(event_type_name(13) == "writer_closed");
  CHECK(event_type_name(17) == "leftovers_ended");
  CHECK(event_type_name(19) == "run_dequeued");
  CHECK(event_type_name(std::variant_size_v<event> - 1) == "clock_jumped");
  CHECK(event_type_name(std::variant_size_v<event>) == "unknown");
  CHECK(to_string(outcome_kind::internal) == "internal");
  CHECK(to_string(stop_cause::signal) == "signal");
  CHECK(to_string(cause_kind::backfill) == "backfill");
  CHECK(to_string(dequeue_reason::removed) == "removed");
  CHECK(to_string(attempt_state::interrupted) == "interrupted");
  CHECK(to_string(file_kind::other) == "other");
  CHECK(std::string_view(to_string(wait_kind::pool)) == "pool");
  CHECK(std::string_view(to_string(command_form::shell)) == "shell");
  CHECK(std::string_view(to_string(variable_source::file)) == "file");
}
