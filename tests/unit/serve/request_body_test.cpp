// Bodies of requests: what they may say, and how it is told what is wrong with one.
#include "serve/request_body.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe_internal;
using namespace troupe_internal::serve;

namespace {
const std::vector<std::string_view> keys = {"select",  "exclude", "only",     "force",
                                            "at_once", "params",  "priority", "key"};
std::string wrong(std::string_view text) {
  const auto read = read_body(text, keys);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == error_code::invalid_input);
  return read.error().message;
}
bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
} // namespace

TEST_CASE("a body says what is to be done") {
  const auto body =
      read_body(R"({"select": ["a", "+b"], "exclude": ["c"], "only": true, "force": false, "at_once": true,
    "params": {"day": "2026-11-30", "top": 5, "rate": 1.50, "all": true}, "priority": -3, "key": "k"})",
                keys)
          .value();
  CHECK(body.select == std::vector<std::string>{"a", "+b"});
  CHECK(body.exclude == std::vector<std::string>{"c"});
  CHECK(body.only);
  CHECK_FALSE(body.force);
  CHECK(body.at_once);
  CHECK(body.params == std::vector<std::pair<std::string, std::string>>{
                           {"day", "2026-11-30"}, {"top", "5"}, {"rate", "1.50"}, {"all", "true"}});
  CHECK(body.priority == -3);
  CHECK(body.key == "k");
  CHECK(read_body("", keys).has_value());
  CHECK(read_body("{}", keys).has_value());
}

TEST_CASE("what is wrong with a body is told") {
  CHECK(has(wrong("[]"), "no object"));
  CHECK(has(wrong("{"), "no JSON"));
  CHECK(has(wrong("{\"select\": \"a\"}"), "\"select\" is not a list of strings"));
  CHECK(has(wrong("{\"select\": [1]}"), "\"select\" is not a string"));
  CHECK(has(wrong("{\"params\": []}"), "\"params\" is not an object"));
  CHECK(has(wrong("{\"params\": {\"p\": null}}"), "\"p\" is not a string, a number or a boolean"));
  CHECK(has(wrong("{\"only\": 1}"), "\"only\" is not true or false"));
  CHECK(has(wrong("{\"priority\": 1.5}"), "no whole number"));
  CHECK(has(wrong("{\"priority\": 99999999999}"), "no whole number"));
  CHECK(has(wrong("{\"priority\": \"1\"}"), "\"priority\" is not a number"));
  CHECK(has(wrong("{} {}"), "no JSON"));
  CHECK(has(wrong("{\"selct\": []}"), "\"selct\" is no key of this request"));
  CHECK_FALSE(read_body("{\"key\": \"x\"}", {"at_once"}).has_value());
  CHECK_FALSE(read_body(std::string(1'000'000, '['), keys).has_value());
}
