// The JSON reader against Boost.JSON's parser, its places, and texts cut at every byte.
#include "config/json_reader.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <string>

using namespace troupe_internal;
using namespace troupe_internal::config;

namespace {

/// Hands the text out in pieces of so many bytes.
chunk_source pieces_of(std::string_view text, std::size_t bytes) {
  return [text, bytes](char* into, std::size_t capacity) mutable {
    const std::size_t count = std::min({bytes, capacity, text.size()});
    std::memcpy(into, text.data(), count);
    text.remove_prefix(count);
    return static_cast<std::ptrdiff_t>(count);
  };
}

std::string place_of(place where) {
  return std::to_string(where.line) + ":" + std::to_string(where.column);
}

// Everything the reader tells about the next value, as one text.
void tell(json_reader& json, std::string& out, bool places) {
  const auto at = [&](place where) { out += places ? "@" + place_of(where) : ""; };
  const auto v = json.value();
  if (v.kind == json_kind::none)
    return;
  at(v.where);
  if (v.kind == json_kind::object) {
    out += "{";
    std::string_view key;
    place where;
    while (json.next_member(key, where)) {
      out += key;
      at(where);
      out += ":";
      tell(json, out, places);
    }
    out += "}";
  } else if (v.kind == json_kind::array) {
    out += "[";
    while (json.next_element())
      tell(json, out, places);
    out += "]";
  } else {
    out += v.kind == json_kind::number && !places ? "<number>" : "<" + std::string(v.text) + ">";
  }
}

struct told {
  std::string text;
  std::string findings;
  bool accepted = false;
};

told read(std::string_view text, std::size_t bytes = 1 << 20, bool places = true,
          json_dialect dialect = json_dialect::commented) {
  diagnostics list;
  findings out(list);
  json_reader json(pieces_of(text, bytes), out, dialect);
  told t;
  tell(json, t.text, places);
  json.finish();
  for (const auto& item : list.items)
    t.findings += place_of(item.where) + " " + item.code + " " + item.message + "\n";
  t.accepted = !json.failed() && list.items.empty();
  return t;
}

// The same from Boost.JSON, without places and the texts of numbers.
void tell(const boost::json::value& v, std::string& out) {
  if (const auto* object = v.if_object()) {
    out += "{";
    for (const auto& member : *object) {
      out += std::string(member.key()) + ":";
      tell(member.value(), out);
    }
    out += "}";
  } else if (const auto* array = v.if_array()) {
    out += "[";
    for (const auto& element : *array)
      tell(element, out);
    out += "]";
  } else if (const auto* string = v.if_string()) {
    out += "<" + std::string(string->data(), string->size()) + ">";
  } else {
    out += v.is_number() ? "<number>" : "<" + boost::json::serialize(v) + ">";
  }
}

rc::Gen<std::string> almost_json() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{"{",
                                                                                               "}",
                                                                                               "[",
                                                                                               "]",
                                                                                               ",",
                                                                                               ":",
                                                                                               "\"a\"",
                                                                                               "\"b\"",
                                                                                               "\"\"",
                                                                                               "\"\\n\\u00e9\\\"\"",
                                                                                               "\"\\ud83d\\ude00\"",
                                                                                               "1",
                                                                                               "-7",
                                                                                               "10",
                                                                                               "true",
                                                                                               "false",
                                                                                               "null",
                                                                                               " ",
                                                                                               "\n",
                                                                                               "/* c */",
                                                                                               "// d\n",
                                                                                               "{\"c\":",
                                                                                               "[1,",
                                                                                               "\"k\": ",
                                                                                               "{}",
                                                                                               "[]",
                                                                                               "\"é\"",
                                                                                               "tru",
                                                                                               "01",
                                                                                               "1.",
                                                                                               "\"",
                                                                                               "\\",
                                                                                               "/"})),
      [](const std::vector<std::string>& parts) {
        std::string text;
        for (const auto& part : parts)
          text += part;
        return text;
      });
}

} // namespace

TEST_CASE("places are those of the first byte of each key and value") {
  CHECK(read("{\"a\": 1,\n  \"é\": [true,\t\"x\"], // c\n\"b\":/**/null}").text ==
        "@1:1{a@1:2:@1:7<1>é@2:3:@2:9[@2:10<true>@2:16<x>]b@3:1:@3:9<null>}");
}

TEST_CASE("blanks, comments, trailing commas and a byte order mark are passed over") {
  CHECK(read("\xEF\xBB\xBF// one\r\n/* two\n **/ [1, /* three */ 2,]// four").text == "@3:6[@3:7<1>@3:22<2>]");
  CHECK(read("[]").accepted);
  CHECK(read("{\"a\":{\"b\":[],},}").accepted);
  CHECK_FALSE(read("[,]").accepted);
  CHECK_FALSE(read("{,}").accepted);
}

TEST_CASE("escapes become their characters") {
  CHECK(read(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00")").text ==
        "@1:1<\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80>");
}

TEST_CASE("numbers keep the text they are written with") {
  CHECK(read("[0, -0, 1.50, 1E+2, 123456789012345678901234567890]").text ==
        "@1:1[@1:2<0>@1:5<-0>@1:9<1.50>@1:15<1E+2>@1:21<123456789012345678901234567890>]");
}

TEST_CASE("what is skipped is read to its end") {
  diagnostics list;
  findings out(list);
  const std::string text = "[{\"a\": [1, {\"b\": \"]}\"}], \"c\": {}}, \"x\", [], 2]";
  json_reader json(chunks_of(text), out);
  json.skip(json.value());
  json.finish();
  CHECK_FALSE(json.failed());
  CHECK(list.items.empty());
}

TEST_CASE("a text cut at every byte reads the same") {
  const std::string text = "\xEF\xBB\xBF{\"key\\n\": [1.5e3, \"\\ud83d\\ude00 é €\", true], /* é */ \"b\": \"" +
                           std::string(300, 'x') + "\", // c\n \"é\": -12 , \"bad\\q \xff\": \"a\tb\", \"end\" 1}";
  const auto whole = read(text);
  CHECK_FALSE(whole.accepted);
  for (std::size_t bytes = 1; bytes < 40; ++bytes) {
    const auto cut = read(text, bytes);
    CHECK(cut.text == whole.text);
    CHECK(cut.findings == whole.findings);
  }
}

TEST_CASE("property: texts are accepted, and mean, what Boost.JSON says") {
  CHECK(rc::check([] {
    for (int i = 0; i < 20; ++i) {
      const auto text = *rc::gen::resize(*rc::gen::inRange(1, 25), almost_json());
      boost::json::parse_options options;
      options.allow_comments = options.allow_trailing_commas = true;
      boost::system::error_code wrong;
      const auto v = boost::json::parse(text, wrong, {}, options);
      const auto ours = read(text, 1 << 20, false);
      RC_ASSERT(ours.accepted == !wrong);
      if (wrong)
        continue;
      std::string theirs;
      tell(v, theirs);
      // Of equal keys Boost.JSON keeps one; the values then differ rightly.
      if (text.find("\"c\"") == text.rfind("\"c\"") && text.find("\"k\"") == text.rfind("\"k\"") &&
          text.find("\"a\"") == text.rfind("\"a\"") && text.find("\"b\"") == text.rfind("\"b\"") &&
          text.find("\"\"") == text.npos)
        RC_ASSERT(ours.text == theirs);
    }
  }));
}

TEST_CASE("plain JSON has no comments, no comma before a bracket, no byte order mark, and NUL in strings") {
  const auto findings = [](std::string_view text) { return read(text, 1 << 20, true, json_dialect::plain).findings; };
  CHECK(findings("[1, \"\\u0000\"]").empty());
  CHECK(read("[1, \"\\u0000\"]").findings.starts_with("1:6 nul_byte"));
  CHECK(findings("[1,]") == "1:4 syntax expected a value behind the comma, found \"]\"\n");
  CHECK(findings("{\"a\": 1,}") == "1:9 syntax expected a key behind the comma, found \"}\"\n");
  CHECK(findings("[1, // two\n2]") == "1:5 syntax expected a value or \"]\", found \"/\"; JSON has no comments\n");
  CHECK(findings("\xEF\xBB\xBF[]").starts_with("1:1 syntax expected a value"));
  CHECK(findings("") == "1:1 empty_file the file is empty\n");
  CHECK(findings("hello") == "1:1 syntax expected a value, found \"hello\"; a string is written in double quotes\n");
}

TEST_CASE("property: plain texts are accepted where Boost.JSON does") {
  CHECK(rc::check([] {
    for (int i = 0; i < 20; ++i) {
      const auto text = *rc::gen::resize(*rc::gen::inRange(1, 25), almost_json());
      boost::system::error_code wrong;
      const auto v = boost::json::parse(text, wrong);
      RC_ASSERT(read(text, 1 << 20, false, json_dialect::plain).accepted == !wrong);
    }
  }));
}

TEST_CASE("property: no text makes it crash, hang or answer differently in other chunks") {
  CHECK(rc::check([] {
    const auto text =
        *rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
                          almost_json(), rc::gen::map(rc::gen::inRange(0, 256),
                                                      [](int c) { return std::string(1, static_cast<char>(c)); }))),
                      [](const std::vector<std::string>& parts) {
                        std::string all;
                        for (const auto& part : parts)
                          all += part;
                        return all;
                      });
    const auto whole = read(text);
    const auto cut = read(text, static_cast<std::size_t>(*rc::gen::inRange(1, 9)));
    RC_ASSERT(whole.text == cut.text);
    RC_ASSERT(whole.findings == cut.findings);
  }));
}
