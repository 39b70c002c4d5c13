// Values from outside: what reaches a path, an argument, or neither.
#include "core/trigger/outside_value.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;

namespace {

std::string problem(const std::string& value, const param_use& use, const char* allow = nullptr) {
  if (allow == nullptr)
    return outside_value_problem("p", value, use, nullptr);
  const auto pattern = value_pattern::compile(allow);
  REQUIRE(pattern.has_value());
  return outside_value_problem("p", value, use, &*pattern);
}

const param_use nowhere;
const param_use in_path{{"in/{{ params.p }}.csv"}, false};
const param_use as_argument{{}, true};

} // namespace

TEST_CASE("a value that goes nowhere special is any text of up to 4 KiB") {
  CHECK(problem("", nowhere).empty());
  CHECK(problem("-rf / $(x) ü", nowhere).empty());
  CHECK(problem(std::string(4096, 'x'), nowhere).empty());
  CHECK(problem(std::string(4097, 'x'), nowhere).find("4096") != std::string::npos);
  for (const char* control : {"a\nb", "\x1b[2J", "\x7f", "a\tb", "\xc2\x9b", "\xc2\x80"})
    CHECK(problem(control, nowhere).find("control") != std::string::npos);
  CHECK(problem("\xc2\xa0", nowhere).empty());
  CHECK(problem("\xff", nowhere).find("UTF-8") != std::string::npos);
  CHECK(problem(std::string("a\0b", 3), nowhere).find("control") != std::string::npos);
}

TEST_CASE("a value in a path is one plain word") {
  for (const char* good : {"2026-03-29", "a", "_x", "v1.2+b:3", "0"})
    CHECK(problem(good, in_path).empty());
  for (const char* bad : {"", "../x", "a/b", ".hidden", "-x", "a b", "a*", "ü", "..", "/etc/passwd", "a\\b", "$x"})
    CHECK_FALSE(problem(bad, in_path).empty());
  CHECK(problem(std::string(200, 'a'), in_path).empty());
  CHECK_FALSE(problem(std::string(201, 'a'), in_path).empty());
}

TEST_CASE("a value at the beginning of an argument is no option") {
  CHECK(problem("--force", as_argument).find("option") != std::string::npos);
  CHECK(problem("-", as_argument).find("option") != std::string::npos);
  CHECK(problem("a-b", as_argument).empty());
  CHECK(problem("/etc", as_argument).empty());
}

TEST_CASE("allow says otherwise, but leads no path elsewhere") {
  CHECK(problem("-v", as_argument, "-[vq]").empty());
  CHECK(problem("-x", as_argument, "-[vq]").find("allow") != std::string::npos);
  CHECK(problem("a/b c", in_path, ".*").empty());
  CHECK(problem("x", nowhere, "y").find("allow") != std::string::npos);
  CHECK(problem("../../etc/passwd", in_path, ".*").find("out of the folder") != std::string::npos);
  CHECK(problem("a/../../b", in_path, ".*").find("out of the folder") != std::string::npos);
  CHECK(problem(".", param_use{{"in/.{{ params.p }}/x"}, false}, ".*").find("out of") != std::string::npos);
  CHECK(problem("..", param_use{{"in/{{ params.p }}"}, false}, ".*").find("out of") != std::string::npos);
  CHECK(problem("/etc", param_use{{"{{ params.p }}/x"}, false}, ".*").find("out of") != std::string::npos);
  CHECK(problem("etc", param_use{{"/{{ params.p }}/x"}, false}, ".*").empty());
  CHECK(problem("etc", param_use{{"../{{ params.p }}/x"}, false}, ".*").empty());
  CHECK(problem("a\nb", in_path, "[^x]*").find("control") != std::string::npos);
  CHECK(problem("x..y", in_path, ".*").empty());
}

TEST_CASE("the message does not repeat the value") {
  CHECK(problem("secret value", in_path).find("secret") == std::string::npos);
}
