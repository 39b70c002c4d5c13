// Separators, escapes and buffering of JSON text.
#include "base/json_writer.hpp"

#include "base/shown_text.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <array>

namespace troupe_internal {

namespace {

constexpr std::size_t spill_bytes = 64 * 1024;

/// Bytes that stand for themselves in a string.
constexpr std::array<bool, 256> json_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c)
    plain[c] = c != '"' && c != '\\';
  return plain;
}();

void append_unicode_escape(std::string& out, char32_t point) {
  static constexpr char hex[] = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U})
    out += hex[point >> shift & 0xFU];
}

/// One character that is not printable ASCII; returns its bytes. All that may not be shown is below U+10000.
std::size_t append_character(std::string& out, std::string_view text) {
  const auto next = decode_utf8(text);
  if (next.valid && is_showable(next.point))
    out += text.substr(0, next.bytes);
  else
    append_unicode_escape(out, next.point);
  return next.bytes;
}

/// The inside of a string.
void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && json_bytes[static_cast<unsigned char>(text[plain])])
      ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty())
      return;
    std::size_t bytes = 1;
    switch (text.front()) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      bytes = append_character(out, text);
    }
    text.remove_prefix(bytes);
  }
}

/// A JSON text: what may not be shown can only be in its strings, but for the blanks between its tokens.
void append_json(std::string& out, std::string_view json) {
  while (!json.empty()) {
    const auto plain = plain_prefix(json);
    out += json.substr(0, plain);
    json.remove_prefix(plain);
    if (json.empty())
      return;
    std::size_t bytes = 1;
    if (json.front() == '\n' || json.front() == '\t' || json.front() == '\r')
      out += ' ';
    else
      bytes = append_character(out, json);
    json.remove_prefix(bytes);
  }
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

void json_writer::separate() {
  if (comma_)
    buffer_ += ',';
}

void json_writer::spill() {
  if (buffer_.size() >= spill_bytes)
    flush();
}

json_writer& json_writer::open(char bracket) {
  separate();
  buffer_ += bracket;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  buffer_ += bracket;
  comma_ = true;
  spill();
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_json_string(buffer_, name);
  buffer_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  append_json_string(buffer_, text);
  comma_ = true;
  spill();
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  append_json(buffer_, json);
  comma_ = true;
  spill();
  return *this;
}

json_writer& json_writer::begin_text() {
  separate();
  buffer_ += '"';
  return *this;
}

void json_writer::add_text(std::string_view piece) {
  if (piece.empty())
    return;
  held_ += piece;
  std::string_view text = held_;
  std::size_t end = text.size();
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back)
    if (is_cut_short(text.substr(text.size() - back)))
      end = text.size() - back;
  append_escaped(buffer_, text.substr(0, end));
  held_.erase(0, end);
  spill();
}

json_writer& json_writer::end_text() {
  append_escaped(buffer_, held_);
  held_.clear();
  buffer_ += '"';
  comma_ = true;
  spill();
  return *this;
}

void json_writer::finish() {
  buffer_ += '\n';
  comma_ = false; // another document may follow
  flush();
}

void json_writer::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

} // namespace troupe_internal
