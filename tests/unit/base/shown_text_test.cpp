// What may be shown, what stands for the rest, and that a text in pieces is the same text.
#include "base/json_writer.hpp"
#include "base/shown_text.hpp"
#include "base/utf8.hpp"

#include <doctest/doctest.h>

#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

struct sample {
  std::string_view text, shown;
};

// Of every kind of character that may not be shown, the first and the last, and their neighbours that may.
const std::vector<sample> samples = {
    {"\x1b[31m", "\\x1b[31m"},
    {"\x1b]52;c;b3duZWQ=\x07", "\\x1b]52;c;b3duZWQ=\\x07"},
    {std::string_view("\x00", 1), "\\x00"},
    {"\r\v\x1f\x7f", "\\x0d\\x0b\\x1f\\x7f"},
    {" ~", " ~"},
    {"\xC2\x80\xC2\x9B\xC2\x9F", "\\u0080\\u009b\\u009f"},
    {"\xC2\xA0", "\xC2\xA0"},
    {"\xD8\x9C", "\\u061c"},
    {"\xD8\x9B\xD8\x9D", "\xD8\x9B\xD8\x9D"},
    {"\xE2\x80\x8E\xE2\x80\x8F", "\\u200e\\u200f"},
    {"\xE2\x80\x8D\xE2\x80\x90", "\xE2\x80\x8D\xE2\x80\x90"}, // a joiner, as in emoji, and a hyphen
    {"\xE2\x80\xA8\xE2\x80\xA9", "\\u2028\\u2029"},
    {"\xE2\x80\xAA\xE2\x80\xAE", "\\u202a\\u202e"},
    {"\xE2\x80\xAF", "\xE2\x80\xAF"},
    {"\xE2\x81\xA6\xE2\x81\xA9", "\\u2066\\u2069"},
    {"\xE2\x81\xA5\xE2\x81\xB0", "\xE2\x81\xA5\xE2\x81\xB0"},
    {"\xEF\xBF\xBE\xEF\xBF\xBF", "\\ufffe\\uffff"},
    {"\x9b\x80\xC3\xFF", "\\x9b\\x80\\xc3\\xff"}, // not UTF-8
    {"\xED\xA0\x80", "\\xed\\xa0\\x80"},          // a surrogate
    {"\xF0\x9F\x98", "\\xf0\\x9f\\x98"},          // cut short
    {"h\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80", "h\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x98\x80"},
    {"\xF9red\xF8", "\\xf9red\\xf8"}, // the marks of a colour
};

/// Characters that may not be shown, raw, in a text that may have lines.
bool holds_forbidden(std::string_view text) {
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    if (next.point != '\n' && next.point != '\t' && (!next.valid || !is_showable(next.point)))
      return true;
    text.remove_prefix(next.bytes);
  }
  return false;
}

std::string in_pieces(std::string_view text, std::size_t bytes, bool colours) {
  text_guard guard(colours);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(bytes, text.size())))
    guard.add(text.substr(0, bytes), out);
  guard.finish(out);
  return out;
}

/// The value of a JSON string as json_writer writes it.
std::string parsed(std::string_view json) {
  std::string out;
  const auto put = [&](char32_t c) {
    const auto byte = [&](char32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xC0U | c >> 6U);
      byte(0x80U | (c & 0x3FU));
    } else {
      byte(0xE0U | c >> 12U);
      byte(0x80U | (c >> 6U & 0x3FU));
      byte(0x80U | (c & 0x3FU));
    }
  };
  json = json.substr(1, json.size() - 2);
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    const char kind = json[++i];
    if (kind == 'u') {
      put(static_cast<char32_t>(std::stoul(std::string(json.substr(i + 1, 4)), nullptr, 16)));
      i += 4;
    } else {
      out += kind == 'n' ? '\n' : kind == 't' ? '\t' : kind == 'r' ? '\r' : kind;
    }
  }
  return out;
}

std::string random_text(std::mt19937& random) {
  std::string text;
  for (auto left = random() % 20; left > 0; --left) {
    if (random() % 4 == 0)
      text += static_cast<char>(random() % 256);
    else
      text += samples[random() % samples.size()].text;
  }
  return text;
}

/// The text with U+FFFD for each part that is not UTF-8.
std::string mended(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    out += next.valid ? text.substr(0, next.bytes) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(next.bytes);
  }
  return out;
}

} // namespace

TEST_CASE("what may not be shown becomes an escape, and everything else stays") {
  for (const auto& [text, shown] : samples) {
    CHECK(visible(text) == shown);
    CHECK(visible(visible(text)) == shown);
    CHECK(guarded(text, false) == shown);
  }
  CHECK(visible("a\n\tb") == "a\\n\\tb"); // a part of a line
  CHECK(guarded("a\n\tb\n", false) == "a\n\tb\n");
}

TEST_CASE("a text in pieces is shown as the whole") {
  std::string all;
  for (const auto& [text, shown] : samples)
    all += std::string(text) + "\n";
  for (const std::size_t bytes : {1U, 2U, 3U, 5U, 1000U}) {
    CHECK(in_pieces(all, bytes, false) == guarded(all, false));
    CHECK(in_pieces(all, bytes, true) == guarded(all, true));
  }
  CHECK(in_pieces("\xE2\x80", 1, false) == "\\xe2\\x80"); // nothing is kept back at the end
}

TEST_CASE("colours are marks that only the guard makes sequences of, and end with the line") {
  const auto red = painted(tint::bad, "no");
  CHECK(guarded(red + "!", true) == "\x1b[31mno\x1b[0m!");
  CHECK(guarded(red, false) == "\\xfano\\xf8"); // without colours they are bytes like any other
  CHECK(unpainted(red) == "no");
  CHECK(painted(tint::none, "x") == "x");
  CHECK(painted(tint::bad, "").empty());
  CHECK(guarded(painted(tint::dim, "two\nlines"), true) == "\x1b[2mtwo\x1b[0m\nlines");
  CHECK(guarded(painted(tint::good, "\x1b[2J"), true) == "\x1b[32m\\x1b[2J\x1b[0m");
}

TEST_CASE("JSON holds what may not be shown as escapes, and is read back as it was") {
  for (const auto& [text, shown] : samples) {
    std::string json;
    append_json_string(json, text);
    CHECK_FALSE(holds_forbidden(json));
    CHECK(parsed(json) == mended(text));
  }
}

TEST_CASE("any text: nothing forbidden is given out, whatever the pieces, and JSON keeps the value") {
  std::mt19937 random(20240611);
  for (int round = 0; round < 3'000; ++round) {
    const auto text = random_text(random);
    const auto bytes = 1 + random() % 4;
    const auto shown = in_pieces(text, bytes, false);
    REQUIRE_FALSE(holds_forbidden(shown));
    REQUIRE(shown == guarded(text, false));
    REQUIRE_FALSE(holds_forbidden(visible(text)));
    std::ostringstream out;
    {
      json_writer json(out);
      json.begin_text();
      for (std::string_view left = text; !left.empty(); left.remove_prefix(std::min<std::size_t>(bytes, left.size())))
        json.add_text(left.substr(0, bytes));
      json.end_text();
    }
    std::string whole;
    append_json_string(whole, text);
    REQUIRE(out.str() == whole);
    REQUIRE_FALSE(holds_forbidden(whole));
    REQUIRE(parsed(whole) == mended(text));
  }
}

TEST_CASE("JSON text that was written elsewhere is made safe to show, and means the same") {
  std::ostringstream out;
  json_writer(out).raw("{\"k\":\n\"\xC2\x9B\xE2\x80\xAE\x7F\xC3\xA9\"}");
  CHECK(out.str() == "{\"k\": \"\\u009b\\u202e\\u007f\xC3\xA9\"}");
}
