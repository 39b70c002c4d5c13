// Strings of a JSON text: escapes, and what is no UTF-8. The common case first: a run of plain bytes inside one chunk
// is handed out as a view of that chunk.
#include "config/json_reader.hpp"

#include "config/value_text.hpp"

#include <array>
#include <utility>

namespace troupe_internal::config {
namespace {

// Bytes that stand for themselves in a string and need no look: printable ASCII but " and \.
constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c)
    plain[c] = c != '"' && c != '\\' && c != 0x7F;
  return plain;
}();

bool is_plain(char c) {
  return plain_bytes[static_cast<unsigned char>(c)];
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

} // namespace

std::string json_reader::to_hex(std::uint32_t value, int digits) {
  std::string text;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    text += "0123456789ABCDEF"[value >> static_cast<unsigned>(shift) & 0xFU];
  return text;
}

std::string json_reader::code_point(std::string_view text) {
  std::uint32_t code = static_cast<unsigned char>(text.front()) & (0xFFU >> (text.size() + 1));
  for (const char c : text.substr(1))
    code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  return "U+" + to_hex(code, code > 0xFFFF ? 6 : 4);
}

bool json_reader::string(std::string_view& text) {
  const place opened = here();
  ++at_;
  const std::size_t begin = at_;
  while (at_ < end_ && is_plain(buffer_[at_]))
    ++at_;
  text = {buffer_.data() + begin, at_ - begin};
  if (at_ < end_ && buffer_[at_] == '"') {
    ++at_;
    return true;
  }
  scratch_ = text;
  told_encoding_ = false;
  const bool complete = rest_of_string(opened);
  text = scratch_;
  return complete;
}

bool json_reader::rest_of_string(place opened) {
  for (;;) {
    const int c = peek();
    const place where = here();
    if (c == end_of_text || c == '\n') {
      fail(opened, c == end_of_text ? "unexpected_end" : "syntax",
           std::string("this string has no closing \" before the ") +
               (c == '\n' ? "line ends; a newline in a string is written \\n" : "file ends"));
      return false;
    }
    if (scratch_.size() > max_string_bytes) {
      fail(opened, "too_large", "this string is longer than 1 MiB");
      return false;
    }
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '\\') {
      ++at_;
      if (!escape())
        return false;
    } else if (c >= 0x80) {
      if (!utf8_sequence(&scratch_))
        return false;
    } else if (c == 0) {
      fail(where, "nul_byte", "a NUL byte stands in a string; is this a text file?");
      return false;
    } else if (c < 0x20) {
      control_character(where, static_cast<std::uint32_t>(c));
      scratch_ += static_cast<char>(c);
      ++at_;
    } else {
      const std::size_t begin = at_++;
      while (at_ < end_ && is_plain(buffer_[at_]))
        ++at_;
      scratch_.append(buffer_.data() + begin, at_ - begin);
    }
  }
}

void json_reader::control_character(place where, std::uint32_t c) {
  std::string message = "a control character (0x" + to_hex(c, 2) + ") in a string is written ";
  if (c == '\t' || c == '\r')
    message += c == '\t' ? "\\t" : "\\r";
  else
    message.append("\\u").append(to_hex(c, 4));
  out_.error(where, "control_character", std::move(message));
}

// Behind a backslash. A wrong escape is reported and left out; reading goes on.
bool json_reader::escape() {
  place where = here();
  --where.column;
  const int c = peek();
  if (c == end_of_text)
    return true; // reported as an open string
  const std::string_view letters = "\"\\/bfnrt";
  const std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (const auto i = letters.find(static_cast<char>(c)); c < 0x80 && i != std::string_view::npos) {
    scratch_ += meanings[i];
    ++at_;
    return true;
  }
  if (c != 'u') {
    out_.error(where, "bad_escape",
               (c > 0x20 && c < 0x7F ? in_quotes(std::string("\\") + static_cast<char>(c)) : "this backslash") +
                   " is no escape; a backslash is written \\\\");
    return true;
  }
  ++at_;
  std::uint32_t unit = 0;
  if (!hex4(unit)) {
    if (!failed_)
      out_.error(where, "bad_escape", "four hexadecimal digits have to follow \\u");
    return !failed_;
  }
  if (unit == 0 && !plain()) {
    out_.error(where, "nul_byte", "\\u0000: no text of a pipeline may hold a NUL");
    return true;
  }
  if (unit >= 0xD800 && unit < 0xDC00 && peek() == '\\') {
    std::uint32_t low = 0;
    ++at_;
    if (peek() == 'u' && (++at_, hex4(low)) && low >= 0xDC00 && low < 0xE000) {
      append_utf8(scratch_, 0x10000 + ((unit - 0xD800) << 10U) + (low - 0xDC00));
      return true;
    }
  }
  if (unit >= 0xD800 && unit < 0xE000) {
    out_.error(where, "bad_escape",
               "\\u" + to_hex(unit, 4) + " is half of a surrogate pair; the other half is missing");
    return !failed_;
  }
  append_utf8(scratch_, unit);
  return true;
}

bool json_reader::hex4(std::uint32_t& unit) {
  unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int c = peek();
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0)
      return false;
    unit = unit << 4U | static_cast<std::uint32_t>(digit);
    ++at_;
  }
  return true;
}

// Reads one sequence of the bytes 0x80 and above; what is none is reported (once a string) and read as U+FFFD.
bool json_reader::utf8_sequence(std::string* into) {
  const place where = here();
  const int first = peek();
  const int more = first >= 0xC2 && first < 0xE0   ? 1
                   : first >= 0xE0 && first < 0xF0 ? 2
                   : first >= 0xF0 && first < 0xF5 ? 3
                                                   : 0;
  char bytes[4] = {static_cast<char>(first)};
  ++at_;
  bool valid = more > 0;
  for (int i = 1; valid && i <= more; ++i) {
    const int c = peek();
    // The second byte is narrower behind some first ones: no overlong forms, no surrogates, nothing above U+10FFFF.
    const int low = i > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const int high = i > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    valid = c >= low && c <= high;
    if (valid) {
      bytes[i] = static_cast<char>(c);
      ++at_;
    }
  }
  if (!valid && !told_encoding_) {
    told_encoding_ = true;
    out_.error(where, "encoding",
               "the byte 0x" + to_hex(static_cast<std::uint32_t>(first), 2) +
                   " begins no UTF-8 character here; save the file as UTF-8");
  }
  if (into != nullptr)
    into->append(valid ? std::string_view(bytes, static_cast<std::size_t>(more) + 1) : replacement);
  return !failed_;
}

} // namespace troupe_internal::config
