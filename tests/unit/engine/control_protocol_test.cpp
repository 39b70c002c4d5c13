// Frames in pieces of any size, and messages to JSON and back.
#include "engine/control_protocol.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

using step = frame_reader::step;

std::vector<control_message> all_messages() {
  live_run_info run{run_number(42U), "debian \"archive\"\n", from_unix_ns(1'795'997'875'641'000'000), {}};
  run.counts[static_cast<std::size_t>(asset_status::running)] = 3;
  run.counts[static_cast<std::size_t>(asset_status::cancelled)] = 4'000'000'000U;
  live_run_info before_1970{run_number(0xFFFF'FFFFU), "", from_unix_ns(-1'000'000), {}};
  run_ask ask{"/tmp/p q.json",
              {"a", "+b"},
              {"c"},
              true,
              true,
              {{"day", "1\"2"}, {"", ""}},
              3,
              std::uint8_t{2},
              {cause_kind::backfill, "nightly", {1, 18'000'000'000'000'000'000U}, "me"},
              -7,
              run_number(6U)};
  const queued_run_info queued{run_number(8U),          "q",       cause_kind::trigger, -2'000'000'000,
                               from_unix_ns(5'000'000), "max_runs"};
  std::vector<control_message> all = {submit_request{ask},
                                      submit_request{{"/p.json"}},
                                      priority_request{run_number(7U), -3},
                                      follow_request{},
                                      follow_request{18'000'000'000'000'000'000U, run_number(1U)},
                                      live_runs{{run}, {queued, queued}, 3},
                                      run_submitted{{run_number(7U), true}},
                                      run_submitted{{run_number(7U), false}},
                                      run_prioritized{run_number(7U)},
                                      resume_request{run_number(7U), {{"token", "a\"b"}}},
                                      supervisor_request{},
                                      supervisor_request{{supervisor_ask::verb::stop, std::chrono::milliseconds(1500)}},
                                      supervisor_request{{supervisor_ask::verb::load, {}, "/p q.json"}},
                                      supervisor_request{{supervisor_ask::verb::look, {}, {}, {"HOME", "X"}}},
                                      supervisor_reply{{12, "user 1 (\"me\")", {"bad"}, {"a", "b"}, {{"X", "1\n"}}}},
                                      now_following{1},
                                      followed_event{12, "{\"seq\": 12, \"text\": \"a\\nb\"}"},
                                      control_hello{1, "0.1.0"},
                                      control_hello{0xFFFF'FFFFU, ""},
                                      list_request{},
                                      cancel_request{},
                                      cancel_request{run_number(7U), true},
                                      wait_request{run_number(7U)},
                                      live_runs{},
                                      live_runs{{run, before_1970}},
                                      run_cancelling{run_number(7U)}};
  for (const auto status : {run_status::queued, run_status::running, run_status::succeeded, run_status::failed,
                            run_status::cancelled, run_status::interrupted})
    all.emplace_back(run_ended{run_number(9U), status});
  for (std::size_t i = 0; i < refusal_code_count; ++i)
    all.emplace_back(control_refusal{static_cast<refusal_code>(i), "a sentence"});
  return all;
}

std::string payload_of(const std::string& frame) {
  return frame.substr(4);
}

std::string head(std::size_t length) {
  std::string bytes;
  for (unsigned i = 0; i < 4; ++i)
    bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

std::string problem_of(std::string_view json) {
  const auto message = parse_message(json);
  REQUIRE_FALSE(message.has_value());
  CHECK(message.error().code == error_code::invalid_input);
  return message.error().message;
}

} // namespace

TEST_CASE("each message is what it was after a way through a frame") {
  for (const auto& message : all_messages()) {
    const auto frame = to_frame(message);
    std::string_view rest = frame;
    frame_reader reader;
    REQUIRE(reader.take(rest) == step::whole);
    CHECK(rest.empty());
    const auto again = parse_message(reader.payload());
    REQUIRE(again.has_value());
    CHECK(*again == message);
  }
}

TEST_CASE("each beginning of a frame is a part of one, and the rest makes it whole") {
  for (const auto& message : all_messages()) {
    const auto frame = to_frame(message);
    for (std::size_t cut = 0; cut < frame.size(); ++cut) {
      frame_reader reader;
      std::string_view first = std::string_view(frame).substr(0, cut);
      CHECK(reader.take(first) == step::partial);
      CHECK(first.empty());
      std::string_view second = std::string_view(frame).substr(cut);
      REQUIRE(reader.take(second) == step::whole);
      CHECK(reader.payload() == payload_of(frame));
    }
  }
}

TEST_CASE("frames that arrive byte by byte, or many at a time, come out one by one") {
  std::string stream;
  for (const auto& message : all_messages())
    stream += to_frame(message);
  for (const std::size_t piece : {std::size_t(1), std::size_t(3), stream.size()}) {
    frame_reader reader;
    std::vector<control_message> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      auto bytes = std::string_view(stream).substr(at, piece);
      while (!bytes.empty())
        if (reader.take(bytes) == step::whole)
          got.push_back(parse_message(reader.payload()).value());
    }
    CHECK(got == all_messages());
  }
}

TEST_CASE("every length up to the bound is taken as it comes, and none above it") {
  for (const std::size_t length : {std::size_t(0), std::size_t(1), std::size_t(255), std::size_t(256),
                                   std::size_t(65'536), max_frame_bytes - 1, max_frame_bytes}) {
    frame_reader reader;
    const auto frame = head(length) + std::string(length, 'x');
    std::string_view rest = frame;
    REQUIRE(reader.take(rest) == step::whole);
    CHECK(reader.payload().size() == length);
  }
  for (const std::size_t length : {max_frame_bytes + 1, std::size_t(1) << 30U, std::size_t(0xFFFF'FFFFU)}) {
    frame_reader reader;
    const auto frame = head(length);
    std::string_view rest = frame;
    CHECK(reader.take(rest) == step::too_long);
  }
}

TEST_CASE("a message that would be longer than a frame becomes an error") {
  const auto frame = to_frame(control_refusal{refusal_code::not_found, std::string(max_frame_bytes, 'x')});
  const auto message = parse_message(payload_of(frame)).value();
  CHECK(std::get<control_refusal>(message).code == refusal_code::internal);
}

TEST_CASE("what is no message is an error that says why") {
  CHECK(problem_of("").find("the file is empty") != std::string::npos);
  CHECK(problem_of("[]").find("it is no object") != std::string::npos);
  CHECK(problem_of("{}").find("it has no \"type\"") != std::string::npos);
  CHECK(problem_of(R"({"type": "offer"})").find("is not known") != std::string::npos);
  CHECK(problem_of(R"({"type": 1})").find("\"type\" is not a string") != std::string::npos);
  CHECK(problem_of(R"({"type": "hello"})").find("names no protocol") != std::string::npos);
  CHECK(problem_of(R"({"type": "wait"})").find("names no run") != std::string::npos);
  CHECK(problem_of(R"({"type": "wait", "run": -1})").find("\"run\" is no whole number") != std::string::npos);
  CHECK(problem_of(R"({"type": "wait", "run": 4294967296})").find("\"run\" is no whole number") != std::string::npos);
  CHECK(problem_of(R"({"type": "wait", "run": 1.5})").find("\"run\" is no whole number") != std::string::npos);
  CHECK(problem_of(R"({"type": "wait", "run": "1"})").find("\"run\" is not a number") != std::string::npos);
  CHECK(problem_of(R"({"type": "cancel", "at_once": 1})").find("is not true or false") != std::string::npos);
  CHECK(problem_of(R"({"type": "submit"})").find("names no file") != std::string::npos);
  CHECK(problem_of(R"({"type": "submit", "file": "p.json"})").find("absolute path") != std::string::npos);
  CHECK(problem_of(R"({"type": "submit", "file": "/p", "cause": "weather"})").find("\"cause\"") != std::string::npos);
  CHECK(problem_of(R"({"type": "submit", "file": "/p", "workers": 0})").find("\"workers\"") != std::string::npos);
  CHECK(problem_of(R"({"type": "submit", "file": "/p", "error_strategy": 3})").find("\"error_strategy\"") !=
        std::string::npos);
  CHECK(problem_of(R"({"type": "submit", "file": "/p", "params": [["a"]]})").find("[name, value]") !=
        std::string::npos);
  CHECK(problem_of(R"({"type": "prioritize", "run": 1})").find("names no priority") != std::string::npos);
  CHECK(problem_of(R"({"type": "resume"})").find("names no run") != std::string::npos);
  CHECK(problem_of(R"({"type": "supervisor", "verb": "sing"})").find("nothing that is known") != std::string::npos);
  CHECK(problem_of(R"({"type": "supervisor", "verb": "load"})").find("absolute path") != std::string::npos);
  CHECK(problem_of(R"({"type": "supervisor", "verb": "stop", "drain_ms": -1})").find("drain_ms") != std::string::npos);
  CHECK(problem_of(R"({"type": "supervising"})").find("names no process") != std::string::npos);
  CHECK(problem_of(R"({"type": "event"})").find("has no number") != std::string::npos);
  CHECK(problem_of(R"({"type": "runs"})").find("lists none") != std::string::npos);
  CHECK(problem_of(R"({"type": "runs", "runs": [1]})").find("a list of objects") != std::string::npos);
  CHECK(problem_of(R"({"type": "runs", "runs": [{"since_ms": 9223372036854775807}]})").find("since_ms") !=
        std::string::npos);
  CHECK(problem_of(R"({"type": "ended", "run": 1, "status": "gone"})").find("has no status") != std::string::npos);
  CHECK(problem_of("{\"type\": \"list\"} {}").find("the end of the file") != std::string::npos);
  static_cast<void>(problem_of("{\"type\": \"list\", \"build\": \"\xff\"}"));
  static_cast<void>(problem_of("{\"type\": \"list\", // a comment\n}"));
  static_cast<void>(problem_of(std::string(100'000, '[')));
  static_cast<void>(problem_of(std::string(4096, '\0')));
}

TEST_CASE("keys and codes of later versions are passed over") {
  CHECK(parse_message(R"({"later": [{"a": [1, 2]}, null], "type": "list", "more": {}})").value() ==
        control_message(list_request{}));
  CHECK(parse_message(R"({"type": "error", "code": "tired", "message": "m"})").value() ==
        control_message(control_refusal{refusal_code::internal, "m"}));
  CHECK(parse_message(R"({"type": "runs", "runs": [{"run": 1, "cause": {}, "counts": {"dreaming": 3}}]})").value() ==
        control_message(live_runs{{live_run_info{run_number(1U), "", {}, {}}}}));
}
