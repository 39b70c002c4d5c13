// Separators, escapes and buffering of JSON text.
#include "base/json_writer.hpp"

#include "base/utf8.hpp"

namespace troupe {

namespace {
constexpr std::size_t spill_bytes = 64 * 1024;
} // namespace

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
  quote(name);
  buffer_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  quote(text);
  comma_ = true;
  spill();
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  buffer_ += json;
  comma_ = true;
  spill();
  return *this;
}

void json_writer::quote(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  buffer_ += '"';
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte >= 0x80) {
      const auto next = decode_utf8(text);
      if (next.valid)
        buffer_ += text.substr(0, next.bytes);
      else
        buffer_ += "\xEF\xBF\xBD";
      text.remove_prefix(next.bytes);
      continue;
    }
    switch (byte) {
    case '"':
      buffer_ += "\\\"";
      break;
    case '\\':
      buffer_ += "\\\\";
      break;
    case '\n':
      buffer_ += "\\n";
      break;
    case '\t':
      buffer_ += "\\t";
      break;
    case '\r':
      buffer_ += "\\r";
      break;
    default:
      if (byte < 0x20 || byte == 0x7F) {
        buffer_ += "\\u00";
        buffer_ += hex[byte >> 4U];
        buffer_ += hex[byte & 0xFU];
      } else {
        buffer_ += static_cast<char>(byte);
      }
    }
    text.remove_prefix(1);
  }
  buffer_ += '"';
}

void json_writer::finish() {
  buffer_ += '\n';
  flush();
}

void json_writer::flush() {
  out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  buffer_.clear();
}

} // namespace troupe
