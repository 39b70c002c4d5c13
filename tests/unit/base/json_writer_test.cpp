// What json_writer writes, character by character.
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace troupe_internal;

namespace {

std::string text_of(std::string_view value) {
  std::ostringstream out;
  json_writer(out).value(value);
  return out.str();
}

} // namespace

TEST_CASE("an object's members are separated by commas, and a finished document is a line") {
  std::ostringstream out;
  json_writer json(out);
  json.begin_object().member("a", 1).member("b", "x").key("c").begin_array().value(true).null().end_array();
  json.key("d").begin_object().end_object().key("e").raw("{\"f\": 1}").end_object().finish();
  CHECK(out.str() == "{\"a\":1,\"b\":\"x\",\"c\":[true,null],\"d\":{},\"e\":{\"f\": 1}}\n");
}

TEST_CASE("numbers keep their sign and their whole range") {
  std::ostringstream out;
  json_writer json(out);
  json.begin_array().value(std::int64_t{-9'223'372'036'854'775'807}).value(std::uint64_t{18'446'744'073'709'551'615U});
  json.value(std::uint8_t{7}).value(false).end_array().flush();
  CHECK(out.str() == "[-9223372036854775807,18446744073709551615,7,false]");
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
  CHECK(text_of("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(text_of("\n\t\r") == "\"\\n\\t\\r\"");
  CHECK(text_of(std::string_view("\x00\x1f\x7f", 3)) == "\"\\u0000\\u001f\\u007f\"");
}

TEST_CASE("bytes that are not UTF-8 are written as U+FFFD, one for each malformed part") {
  CHECK(text_of("é€😀") == "\"é€😀\"");
  CHECK(text_of("a\xFFz") == "\"a\\ufffdz\"");
  CHECK(text_of("\xE2\x82") == "\"\\ufffd\"");                              // cut off in the middle
  CHECK(text_of("\xC0\xAF") == "\"\\ufffd\\ufffd\"");                       // overlong
  CHECK(text_of("\xED\xA0\x80").find("\xED\xA0\x80") == std::string::npos); // a surrogate
}

TEST_CASE("a long document reaches the stream piece by piece") {
  std::ostringstream out;
  json_writer json(out);
  json.begin_array();
  for (int i = 0; i < 20'000; ++i)
    json.value("0123456789");
  CHECK(out.str().size() > 100'000); // before the end was written
  json.end_array().finish();
  CHECK(out.str().size() == 20'000 * 13 + 2);
}

TEST_CASE("documents follow each other, a line each") {
  std::ostringstream out;
  json_writer json(out);
  for (int i = 0; i < 3; ++i)
    json.begin_object().member("n", i).end_object().finish();
  CHECK(out.str() == "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
}

TEST_CASE("UTF-8 is told from what is not") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("é€😀\xF4\x8F\xBF\xBF"));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80")); // beyond U+10FFFF
  CHECK_FALSE(is_utf8("\xE0\x80\x80"));
  CHECK_FALSE(is_utf8("\xF0\x80\x80\x80"));
  CHECK_FALSE(is_utf8("x\xC3"));
  CHECK(decode_utf8("\xE2\x82\xAC!").point == 0x20AC);
  CHECK(decode_utf8("\xF0\x9F\x98\x80").bytes == 4);
}
