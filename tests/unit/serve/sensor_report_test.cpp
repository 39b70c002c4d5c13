// What sensors print: as values, or with what is wrong first.
#include "serve/sensor_report.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {

std::string problem(std::string_view text, std::uint32_t most_runs = 10) {
  const auto report = parse_sensor_report(text, most_runs);
  return report ? "-" : report.error().message;
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a report is read with all it says") {
  const auto report = parse_sensor_report(R"({"cursor": "p 7", "again": true, "skip_reason": "",
    "runs": [{"key": "k", "select": ["a", "tag:b"], "params": {"n": 5, "s": "x", "b": true}}, {}]})",
                                          10);
  REQUIRE(report.has_value());
  CHECK(report->cursor == "p 7");
  CHECK(report->again);
  REQUIRE(report->runs.size() == 2);
  const reported_run expected{"k", std::vector<std::string>{"a", "tag:b"}, {{"n", "5"}, {"s", "x"}, {"b", "true"}}};
  CHECK(report->runs[0] == expected);
  CHECK(report->runs[1] == reported_run{});
  CHECK(parse_sensor_report("{}", 1)->runs.empty());
  CHECK_FALSE(parse_sensor_report(R"({"cursor": null})", 1)->cursor.has_value());
  CHECK(parse_sensor_report(R"({"cursor": ""})", 1)->cursor == "");
  CHECK(parse_sensor_report(R"({"skip_reason": "no mail"})", 1)->skip_reason == "no mail");
}

TEST_CASE("what is no report is refused with its place") {
  CHECK(says(problem(""), "line 1"));
  CHECK(says(problem("[]"), "no JSON object"));
  CHECK(says(problem("{} x"), "line 1"));
  CHECK(says(problem("{\n\"run\": []}"), "line 2: \"run\" is no key"));
  CHECK(says(problem(R"({"cursor": 5})"), "a text or null"));
  CHECK(says(problem(R"({"cursor": "a\u0000b"})"), "zero byte"));
  CHECK(says(problem(R"({"cursor": "a", "cursor": "b"})"), "twice"));
  CHECK(says(problem(R"({"again": "yes"})"), "true or false"));
  CHECK(says(problem(R"({"runs": {}})"), "a list"));
  CHECK(says(problem(R"({"runs": [5]})"), "an object"));
  CHECK(says(problem(R"({"runs": [{"what": 1}]})"), "no key of a run"));
  CHECK(says(problem(R"({"runs": [{"key": 1}]})"), "a text"));
  CHECK(says(problem(R"({"runs": [{"select": "a"}]})"), "list of texts"));
  CHECK(says(problem(R"({"runs": [{"select": []}]})"), "selects nothing"));
  CHECK(says(problem(R"({"runs": [{"params": {"a": [1]}}]})"), "the param \"a\""));
  CHECK(says(problem(R"({"runs": [{}, {}, {}]})", 2), "more runs"));
  CHECK(says(problem(std::string(max_report_bytes + 1, ' ')), "more than"));
  CHECK(says(problem("{\"cursor\": \"" + std::string(max_cursor_bytes + 1, 'x') + "\"}"), "more than"));
  CHECK(says(problem(R"({"cursor": "x)"), "line 1"));
}

TEST_CASE("any bytes are a report or refused") {
  std::mt19937 random(1);
  const std::string seed =
      R"({"cursor": "7", "runs": [{"key": "a", "select": ["x"], "params": {"n": 1}}], "again": false})";
  for (int round = 0; round < 2000; ++round) {
    auto text = seed;
    for (int change = 0; change < 3; ++change)
      text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto report = parse_sensor_report(text, 3);
    if (report)
      CHECK(report->runs.size() <= 3);
    else
      CHECK_FALSE(report.error().message.empty());
  }
}
