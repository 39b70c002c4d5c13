// Patterns against examples, against the standard library's on random ones, and against those that take others long.
#include "core/trigger/value_pattern.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <regex>
#include <string>

using namespace troupe_internal;

namespace {

bool fits(const std::string& pattern, const std::string& value) {
  const auto compiled = value_pattern::compile(pattern);
  INFO(pattern << ": " << (compiled ? "" : compiled.error().message));
  REQUIRE(compiled.has_value());
  return compiled->matches(value);
}

std::string pattern_problem(const std::string& pattern) {
  const auto compiled = value_pattern::compile(pattern);
  INFO(pattern);
  REQUIRE_FALSE(compiled.has_value());
  return compiled.error().message;
}

/// A pattern that both understand; repetitions are put into groups.
std::string random_pattern(int depth) {
  const auto below = [](int n) { return *rc::gen::inRange(0, n); };
  std::string text;
  for (int i = below(4); i >= 0; --i) {
    const char* const atoms[] = {"a", "b", ".", "[ab]", "[^a]", "\\d", "[a-c0]", "\\."};
    std::string atom = depth > 0 && below(3) == 0 ? "(" + random_pattern(depth - 1) + ")" : atoms[below(8)];
    const char* const repetitions[] = {"", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"};
    text += atom + repetitions[below(10)];
    if (below(6) == 0)
      text += "|";
  }
  return text;
}

} // namespace

TEST_CASE("the whole value has to match") {
  CHECK(fits("abc", "abc"));
  CHECK_FALSE(fits("abc", "abcd"));
  CHECK_FALSE(fits("abc", "xabc"));
  CHECK(fits("^v[0-9]+\\.[0-9]+$", "v1.20"));
  CHECK_FALSE(fits("v[0-9]+\\.[0-9]+", "v1x20"));
  CHECK(fits("", ""));
  CHECK_FALSE(fits("", "a"));
  CHECK(fits("a|b|", ""));
  CHECK(fits("refs/(heads|tags)/.{1,20}", "refs/tags/x"));
  CHECK_FALSE(fits("(a|b){2,3}", "a"));
  CHECK(fits("(?:ab)+", "abab"));
  CHECK(fits("[]a-]+", "]-a"));
  CHECK(fits("[^\\d\\s]*", "abc"));
  CHECK_FALSE(fits("[^\\d\\s]*", "a c"));
  CHECK(fits("\\w\\W\\S\\D", "a-bc"));
  CHECK(fits("(a*)*b", "aaab"));
  CHECK(fits("x{0}y{0,0}", ""));
}

TEST_CASE("what cannot be read is named with its place") {
  CHECK(pattern_problem("(a").find("( is not closed") != std::string::npos);
  CHECK(pattern_problem("a)").find(") closes nothing (at byte 2") != std::string::npos);
  CHECK(pattern_problem("[a").find("[ is not closed") != std::string::npos);
  CHECK(pattern_problem("*a").find("nothing to repeat") != std::string::npos);
  CHECK(pattern_problem("a**").find("follows a repetition") != std::string::npos);
  CHECK(pattern_problem("a{2,1}").find("{n,m}") != std::string::npos);
  CHECK(pattern_problem("a{x}").find("{n,m}") != std::string::npos);
  CHECK(pattern_problem("a{1001}").find("1000") != std::string::npos);
  CHECK(pattern_problem("(a{1000}){1000}").find("too many") != std::string::npos);
  CHECK(pattern_problem("\\q").find("no meaning") != std::string::npos);
  CHECK(pattern_problem("a\\").find("at the end") != std::string::npos);
  CHECK(pattern_problem("a^b").find("whole value") != std::string::npos);
  CHECK(pattern_problem("a$b").find("whole value") != std::string::npos);
  CHECK(pattern_problem("(?=a)").find("(?: )") != std::string::npos);
  CHECK(pattern_problem("[z-a]").find("backwards") != std::string::npos);
  CHECK(pattern_problem("[é]").find("ASCII") != std::string::npos);
  CHECK(pattern_problem(std::string(2000, 'a')).find("1000 bytes") != std::string::npos);
  CHECK(pattern_problem(std::string(100, '(') + std::string(100, ')')).find("too deep") != std::string::npos);
  std::string doubling = "a";
  for (int i = 0; i < 40; ++i)
    doubling = "(" + doubling + "){2}";
  CHECK(pattern_problem(doubling).find("too many") != std::string::npos);
}

TEST_CASE("patterns that take others exponential time take linear time here") {
  // By backtracking this takes 2^4000 steps.
  CHECK_FALSE(fits("(a+)+b", std::string(4000, 'a')));
  CHECK_FALSE(fits("(a|a)*c", std::string(4000, 'a')));
}

TEST_CASE("random patterns mean what they mean to the standard library") {
  CHECK(rc::check([] {
    const auto pattern = random_pattern(1);
    const auto compiled = value_pattern::compile(pattern);
    RC_ASSERT(compiled.has_value());
    const std::regex standard(pattern);
    for (int i = 0; i < 20; ++i) {
      const auto value = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c', '0', '.'));
      const auto text = value.substr(0, 7);
      RC_ASSERT(compiled->matches(text) == std::regex_match(text, standard));
    }
  }));
}
