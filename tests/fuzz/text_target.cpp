// UTF-8 against the definition, and what is shown on terminals or written as JSON.
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"

#include "base/json_writer.hpp"
#include "base/shown_text.hpp"
#include "base/utf8.hpp"
#include "cli/log_text.hpp"
#include "views/log_filter.hpp"
#include "views/text.hpp"

#include <boost/json.hpp>

#include <sstream>
#include <string>

namespace troupe_internal::fuzz {
namespace {

/// The bytes of a code point, by the definition (RFC 3629, section 3).
std::string encoded(char32_t c) {
  const auto byte = [](char32_t b) { return static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80)
    return {byte(c)};
  if (c < 0x800)
    return {byte(0xC0U | c >> 6U), byte(0x80U | (c & 0x3FU))};
  if (c < 0x10000)
    return {byte(0xE0U | c >> 12U), byte(0x80U | (c >> 6U & 0x3FU)), byte(0x80U | (c & 0x3FU))};
  return {byte(0xF0U | c >> 18U), byte(0x80U | (c >> 12U & 0x3FU)), byte(0x80U | (c >> 6U & 0x3FU)),
          byte(0x80U | (c & 0x3FU))};
}

/// The text with U+FFFD for what is not UTF-8.
std::string mended(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    FUZZ_CHECK(next.bytes >= 1 && next.bytes <= 4 && next.bytes <= text.size(), text);
    if (next.valid) {
      FUZZ_CHECK(encoded(next.point) == text.substr(0, next.bytes), text);
      FUZZ_CHECK(next.point < 0x110000 && (next.point < 0xD800 || next.point >= 0xE000), text);
    } else {
      FUZZ_CHECK(next.point == replacement_character, text);
      for (const std::size_t n : {1U, 2U, 3U, 4U}) // no whole character was cut up
        FUZZ_CHECK(n > text.size() || !is_utf8(text.substr(0, n)), text);
    }
    out += encoded(next.point);
    text.remove_prefix(next.bytes);
  }
  return out;
}

bool has_controls(std::string_view text) {
  while (!text.empty()) {
    const auto next = decode_utf8(text);
    if (!next.valid || !is_showable(next.point))
      return true;
    text.remove_prefix(next.bytes);
  }
  return false;
}

std::string without_blanks(std::string text) {
  std::erase_if(text, [](char c) { return c == '\t' || c == '\n'; });
  return text;
}

std::string read_back(const std::string& json) {
  boost::system::error_code wrong;
  const auto v = boost::json::parse(json, wrong);
  FUZZ_CHECK(!wrong && v.is_string(), json);
  return {v.get_string().data(), v.get_string().size()};
}

} // namespace

void fuzz_text(std::string_view bytes) {
  const std::string valid = mended(bytes);
  FUZZ_CHECK(is_utf8(valid), valid);
  FUZZ_CHECK(is_utf8(bytes) == (valid == bytes), valid);

  const auto half = bytes.size() / 2;
  std::ostringstream out;
  {
    json_writer json(out);
    json.begin_text();
    json.add_text(bytes.substr(0, half));
    json.add_text(bytes.substr(half));
    json.end_text();
  }
  FUZZ_CHECK(read_back(out.str()) == valid && !has_controls(out.str()), out.str());
  std::string appended;
  append_json_string(appended, bytes);
  FUZZ_CHECK(appended == out.str(), appended);
  std::ostringstream again;
  json_writer(again).raw(appended);
  FUZZ_CHECK(again.str() == appended, again.str());

  const auto shown = cli::printable(bytes);
  FUZZ_CHECK(!has_controls(shown), shown);
  FUZZ_CHECK(visible(shown) == shown, shown);
  const auto lines = guarded(bytes, false);
  std::string pieces;
  text_guard guard;
  guard.add(bytes.substr(0, half), pieces);
  guard.add(bytes.substr(half), pieces);
  guard.finish(pieces);
  FUZZ_CHECK(pieces == lines && !has_controls(without_blanks(lines)), lines);
  std::string whole, parts;
  cli::log_filter at_once(true), in_parts(true);
  at_once.add(bytes, whole);
  at_once.finish(whole);
  in_parts.add(bytes.substr(0, half), parts);
  in_parts.add(bytes.substr(half), parts);
  in_parts.finish(parts);
  FUZZ_CHECK(whole == parts, parts);
  FUZZ_CHECK(cli::printable_log_line(whole) == cli::printable_log_line(bytes), whole);
  const auto line = without_blanks(cli::printable_log_line(bytes));
  FUZZ_CHECK(!has_controls(line), line);
  const auto seen = cli::shown_line(bytes);
  if (bytes.find_first_of("\r\b") == std::string_view::npos)
    FUZZ_CHECK(seen == bytes, seen);
  FUZZ_CHECK(cli::shown_line(seen) == seen, seen);
  const auto width = cli::display_width(shown);
  const std::size_t columns = 1 + number_of(bytes) % 20;
  const auto cut = cli::truncated(shown, columns);
  FUZZ_CHECK(is_utf8(cut) && cli::display_width(cut) <= columns, cut);
  FUZZ_CHECK(width > columns || cut == shown, cut);
}

} // namespace troupe_internal::fuzz
