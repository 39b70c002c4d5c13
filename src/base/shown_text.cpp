// Ranges of code points, escapes, and the sequences of the colours (ECMA-48, SGR).
#include "base/shown_text.hpp"

#include "base/utf8.hpp"

#include <array>

namespace troupe_internal {
namespace {

constexpr unsigned char end_mark = 0xF8; // then one mark a colour: no byte from here on occurs in UTF-8
constexpr std::array<const char*, 7> codes{"0", "32", "31", "33", "36", "2", "1"}; // by tint

constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c)
    plain[c] = true;
  return plain;
}();

unsigned char byte_of(char c) {
  return static_cast<unsigned char>(c);
}

bool is_mark(char c) {
  return byte_of(c) >= end_mark && byte_of(c) < end_mark + codes.size();
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
  static constexpr char hex[] = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += hex[value >> static_cast<unsigned>(shift) & 0xFU];
}

/// The escape of the first character of `text`, which may not be shown.
void append_escape(std::string& out, std::string_view text, const decoded& first) {
  if (!first.valid) {
    for (const char c : text.substr(0, first.bytes)) {
      out += "\\x";
      append_hex(out, byte_of(c), 2);
    }
  } else if (first.point == '\n') {
    out += "\\n";
  } else if (first.point == '\t') {
    out += "\\t";
  } else if (first.point < 0x80) {
    out += "\\x";
    append_hex(out, first.point, 2);
  } else {
    out += "\\u";
    append_hex(out, first.point, 4);
  }
}

} // namespace

bool is_showable(char32_t point) noexcept {
  if (point < 0x300)
    return point >= 0x20 && (point < 0x7F || point >= 0xA0);
  if (point < 0x2000)
    return point != 0x61C; // Arabic letter mark
  if (point > 0x206F)
    return point != 0xFFFE && point != 0xFFFF;
  const bool turns = point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) || point >= 0x2066;
  return !turns && point != 0x2028 && point != 0x2029;
}

std::size_t plain_prefix(std::string_view text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && plain_bytes[byte_of(text[n])])
    ++n;
  return n;
}

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty())
      break;
    const auto next = decode_utf8(text);
    if (next.valid && is_showable(next.point))
      out += text.substr(0, next.bytes);
    else
      append_escape(out, text, next);
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string painted(tint colour, std::string_view text) {
  if (colour == tint::none || text.empty())
    return std::string(text);
  std::string out(1, static_cast<char>(end_mark + static_cast<unsigned char>(colour)));
  out += text;
  return out += static_cast<char>(end_mark);
}

std::string unpainted(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (!is_mark(c))
      out += c;
  return out;
}

bool text_guard::passes(std::string_view piece) const noexcept {
  if (!held_.empty())
    return false;
  for (;;) {
    piece.remove_prefix(plain_prefix(piece));
    if (piece.empty())
      return true;
    if (piece.front() != '\n' && piece.front() != '\t')
      return false;
    if (open_)
      return false; // the line ends a colour
    piece.remove_prefix(1);
  }
}

void text_guard::add(std::string_view piece, std::string& out) {
  if (held_.empty())
    return add_whole(piece, out);
  std::string joined;
  joined.swap(held_);
  joined += piece;
  add_whole(joined, out);
}

void text_guard::add_whole(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const auto plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty())
      return;
    const char c = text.front();
    std::size_t bytes = 1;
    if (colours_ && is_mark(c)) {
      const auto which = static_cast<std::size_t>(byte_of(c) - end_mark);
      if (which != 0 || open_)
        out.append("\x1b[").append(codes[which]).append("m");
      open_ = which != 0;
    } else if (c == '\n') {
      out += open_ ? "\x1b[0m\n" : "\n";
      open_ = false;
    } else if (c == '\t') {
      out += c;
    } else if (is_cut_short(text)) {
      held_ = text;
      return;
    } else {
      const auto next = decode_utf8(text);
      bytes = next.bytes;
      if (next.valid && is_showable(next.point))
        out += text.substr(0, bytes);
      else
        append_escape(out, text, next);
    }
    text.remove_prefix(bytes);
  }
}

void text_guard::finish(std::string& out) {
  out += visible(held_);
  held_.clear();
}

std::string guarded(std::string_view text, bool colours) {
  text_guard guard(colours);
  std::string out;
  guard.add(text, out);
  guard.finish(out);
  return out;
}

} // namespace troupe_internal
