// TROUPE_RESULT: what is taken, and that everything else is refused with words that say what was found.
#include "engine/attempt_report.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

std::string refusal(const std::string& text) {
  const auto report = parse_attempt_report(text);
  REQUIRE(report.has_error());
  CHECK(report.error().code == error_code::invalid_input);
  const std::string start = "the result file (TROUPE_RESULT) ";
  CHECK(report.error().message.starts_with(start));
  return report.error().message.substr(start.size());
}

} // namespace

TEST_CASE("a report may say a version, metadata and inputs, each or none") {
  const auto all = parse_attempt_report(
      R"({"data_version": "v7", "metadata": {"rows": 42, "deep": [1, {"x": null}]}, "inputs": ["a.h", "dir/b c.h"]})");
  REQUIRE(all.has_value());
  CHECK(all->data_version == "v7");
  CHECK(all->metadata == R"({"rows":42,"deep":[1,{"x":null}]})");
  CHECK(all->inputs == std::vector<std::string>{"a.h", "dir/b c.h"});
  const auto none = parse_attempt_report("{}");
  REQUIRE(none.has_value());
  CHECK(none->data_version.empty());
  CHECK(none->metadata.empty());
  CHECK(none->inputs.empty());
}

TEST_CASE("a mask goes over keys, texts and numbers, and over the version") {
  const secret_mask mask(std::vector<std::string>{"s3cr3t-Zq9x", "12345678", "quote\"d"});
  const auto report = parse_attempt_report(
      R"({"data_version": "v s3cr3t-Zq9x", "inputs": ["s3cr3t-Zq9x.h"],
          "metadata": {"a s3cr3t-Zq9x": ["s3cr3t\u002dZq9x", 12345678, -123456789, 1234567, true], "q": "x quote\"d"}})",
      &mask);
  REQUIRE(report.has_value());
  CHECK(report->data_version == "v ***");
  CHECK(report->metadata == R"({"a ***":["***","***","-***9",1234567,true],"q":"x ***"})");
  CHECK(report->inputs == std::vector<std::string>{"s3cr3t-Zq9x.h"}); // a file has the name it has
}

TEST_CASE("what is no JSON object is refused") {
  CHECK(refusal("").starts_with("is not valid JSON: "));
  CHECK(refusal("{").starts_with("is not valid JSON: "));
  CHECK(refusal("{\"metadata\": {\"rows\": 5,\n \"loss\": NaN}}") ==
        "is not valid JSON: line 2, column 10: expected a value, found \"NaN\"; JSON has no such number");
  CHECK(refusal("{\n\n  \"metadata\": {\"x\": [1, -Infinity]}}")
            .starts_with("is not valid JSON: line 3, column 25: \"-Infinity\""));
  CHECK(refusal("{\"metadata\": {\"x\": Infinity}}").ends_with("found \"Infinity\"; JSON has no such number"));
  CHECK(refusal("{\"a\": True}").ends_with("line 1, column 7: expected a value, found \"True\"; write true"));
  CHECK(refusal("{} // comment").ends_with("; JSON has no comments"));
  CHECK(refusal("{} {}").starts_with("is not valid JSON: "));
  CHECK(refusal("{\"data_version\": \"a\",}").starts_with("is not valid JSON: "));
  CHECK(refusal("{\"data_version\": \"\xFF\"}").starts_with("is not UTF-8, as JSON has to be"));
  CHECK(refusal("[]") == "does not hold a JSON object");
  CHECK(refusal("42") == "does not hold a JSON object");
}

TEST_CASE("a key that stands twice in an object is refused: nobody knows which was meant") {
  CHECK(refusal(R"({"inputs": ["a"], "inputs": ["b"]})") ==
        "has the key \"inputs\" twice in one object: which of its values counts? (line 1, column 19)");
  CHECK(refusal(R"({"metadata": {"a": [1, {"b": 1, "c": {}, "b": 2}]}})").starts_with("has the key \"b\" twice"));
  CHECK(refusal(R"({"metadata": {"a": {"x": 1, "\u0078": 2}}})").starts_with("has the key \"x\" twice"));
  CHECK(parse_attempt_report(R"({"metadata": {"a": {"b": 1}, "b": {"b": 1}}})").has_value());
}

TEST_CASE("an unknown key is named, with those that are known") {
  CHECK(refusal(R"({"dataversion": "x"})") ==
        "has the unknown key \"dataversion\": data_version, metadata and inputs are known (line 1, column 2)");
}

TEST_CASE("values of the wrong type are refused") {
  for (const std::string& value :
       std::vector<std::string>{"1", "null", "\"\"", "[\"x\"]", '"' + std::string(4097, 'x') + '"'}) {
    CHECK(refusal("{\"data_version\": " + value + "}") ==
          "has a \"data_version\" that is not a string of 1 to 4096 bytes (line 1, column 18)");
  }
  for (const std::string value : {"1", "[]", "null", "\"x\""})
    CHECK(refusal("{\"metadata\": " + value + "}") == "has \"metadata\" that is not an object (line 1, column 14)");
  for (const std::string value : {"1", "{}", "\"x\""})
    CHECK(refusal("{\"inputs\": " + value + "}") ==
          "has \"inputs\" that is not an array of file names (line 1, column 12)");
  for (const std::string value : {"[1]", "[\"\"]", "[\"a\\u0000b\"]", "[\"a\", null]"})
    CHECK(refusal("{\"inputs\": " + value + "}")
              .starts_with("has \"inputs\" with an element that is not a file name (line 1"));
}

TEST_CASE("depth is bounded") {
  const auto nested = [](std::size_t depth) {
    return "{\"metadata\": {\"x\": " + std::string(depth, '[') + std::string(depth, ']') + "}}";
  };
  CHECK(parse_attempt_report(nested(50)).has_value());
  CHECK(refusal(nested(100)).starts_with("is not valid JSON: "));
  CHECK(refusal(nested(100'000)).starts_with("is not valid JSON: "));
}

TEST_CASE("a number that JSON could not say again is refused") {
  CHECK(refusal(R"({"metadata": {"a": [1, {"n": 1e400}]}})") ==
        "has \"metadata\" with a number beyond 1.8e308; write it as a string (line 1, column 30)");
  CHECK(parse_attempt_report(R"({"metadata": {"n": 1e300}})").has_value());
}

TEST_CASE("numbers of metadata keep the text they are written with, and texts what they say") {
  const auto metadata = [](const std::string& text) {
    const auto report = parse_attempt_report("{\"metadata\": " + text + "}");
    REQUIRE(report.has_value());
    return report->metadata;
  };
  CHECK(metadata("{\"a\": 0.95, \"b\": 4211.0,\n\t\"c\": 202002190000000000000001}") ==
        R"({"a":0.95,"b":4211.0,"c":202002190000000000000001})");
  CHECK(metadata(R"({"a": [-0, 1E+2, 1e-400, 0.1000]})") == R"({"a":[-0,1E+2,1e-400,0.1000]})");
  CHECK(metadata(R"({"a": 1e300, "b": -1.50E-07})") == R"({"a":1e300,"b":-1.50E-07})");
  CHECK(metadata(R"({"\u0041 \"b\"": "\u00e9\n\u0000\/", "t": [true, false, null, {}, []]})") ==
        R"({"A \"b\"":"é\n\u0000/","t":[true,false,null,{},[]]})");
}

TEST_CASE("a long or odd key is told in few words, safe to show") {
  CHECK(refusal("{\"" + std::string(100'000, 'k') + "\": 1}").size() < 300);
  CHECK(refusal(R"({"a\u001b[31m": 1})").starts_with("has the unknown key \"a\\x1b[31m\""));
}
