// Values, containers, blanks and comments, and what is told of mistakes in them.
#include "config/json_reader.hpp"

#include "config/value_text.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe_internal::config {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;

} // namespace

chunk_source chunks_of(std::string_view text) {
  return [text](char* into, std::size_t capacity) mutable {
    const std::size_t count = std::min(capacity, text.size());
    std::memcpy(into, text.data(), count);
    text.remove_prefix(count);
    return static_cast<std::ptrdiff_t>(count);
  };
}

json_reader::json_reader(chunk_source source, findings& out, json_dialect dialect)
    : source_(std::move(source)), out_(out), dialect_(dialect), buffer_(chunk_bytes) {}

bool json_reader::refill() {
  if (failed_)
    return false;
  base_ += end_;
  at_ = end_ = 0;
  const auto count = source_(buffer_.data(), buffer_.size());
  if (count < 0) {
    unreadable_ = failed_ = true;
    return false;
  }
  end_ = static_cast<std::size_t>(count);
  if (base_ + end_ > max_text_bytes) {
    fail({}, "too_large", "the file is larger than 1 GiB");
    end_ = 0;
  }
  return end_ > 0;
}

void json_reader::fail(place where, std::string_view code, std::string message) {
  if (!failed_)
    out_.error(where, code, std::move(message));
  failed_ = true;
}

std::string json_reader::opened_at() const {
  const frame& open = frames_.back();
  return std::string(open.object ? "the object" : "the list") + " that begins at " + std::to_string(open.opened.line) +
         ":" + std::to_string(open.opened.column);
}

// What stands here, for a message.
std::string json_reader::found() {
  const int c = peek();
  if (c == end_of_text)
    return "the end of the file";
  if (c == 0)
    return "a NUL byte";
  if (c < 0x20 || c == 0x7F)
    return "a control character (0x" + to_hex(static_cast<std::uint32_t>(c), 2) + ")";
  if (c >= 0x80) {
    std::string text;
    told_encoding_ = true; // what stands here is wrong anyway
    if (utf8_sequence(&text) && text != replacement)
      return in_quotes(text) + " (" + code_point(text) + ")";
    return "the byte 0x" + to_hex(static_cast<std::uint32_t>(c), 2);
  }
  std::string text(1, static_cast<char>(c));
  if (is_word(c))
    while (++at_, is_word(peek()) && text.size() < 40)
      text += buffer_[at_];
  return c == '"' ? "a string" : in_quotes(text);
}

void json_reader::unexpected(std::string_view expected) {
  if (failed_)
    return;
  const place where = here();
  if (peek() == end_of_text) {
    if (!failed_)
      fail(where, "unexpected_end",
           "the file ends where " + std::string(expected) + " was expected" +
               (frames_.empty() ? "" : "; " + opened_at() + " is not closed"));
    return;
  }
  const std::string_view way_out = plain() && (peek() == '#' || peek() == '/') ? "; JSON has no comments"
                                   : peek() == '#'                             ? "; a comment begins with //"
                                                                               : "";
  fail(where, "syntax", "expected " + std::string(expected) + ", found " + found() + std::string(way_out));
}

void json_reader::first_bytes() {
  begun_ = true;
  // A pipe may hand out less than a byte order mark at a time.
  while (end_ < 4) {
    const auto count = source_(buffer_.data() + end_, buffer_.size() - end_);
    unreadable_ = failed_ = count < 0;
    if (count <= 0)
      break;
    end_ += static_cast<std::size_t>(count);
  }
  const std::string_view start(buffer_.data(), std::min<std::size_t>(end_, 4));
  if (start.starts_with("\xEF\xBB\xBF") && !plain()) {
    at_ = 3;
    line_start_ = 3;
  } else if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF") ||
             (start.size() > 1 && (start[0] == '\0') != (start[1] == '\0'))) {
    fail({1, 1}, "encoding", "the file is UTF-16 or UTF-32; save it as UTF-8");
  }
}

bool json_reader::skip_blanks() {
  // Mostly there is one or none.
  if (begun_ && !failed_ && at_ + 1 < end_) {
    at_ += buffer_[at_] == ' ' ? 1 : 0;
    if (buffer_[at_] > ' ' && buffer_[at_] != '/')
      return true;
  }
  if (!begun_)
    first_bytes();
  while (!failed_) {
    switch (peek()) {
    case '\n':
      newline();
      ++at_;
      break;
    case ' ':
    case '\t':
    case '\r':
      ++at_;
      break;
    case '/':
      if (plain())
        return true; // what is expected here is missing
      if (!skip_comment())
        return false;
      break;
    default:
      return !failed_;
    }
  }
  return false;
}

bool json_reader::skip_comment() {
  const place opened = here();
  ++at_;
  const int kind = peek();
  if (kind != '/' && kind != '*') {
    fail(opened, "syntax", "expected a comment (// or /*) behind /");
    return false;
  }
  ++at_;
  told_encoding_ = false;
  bool star = false;
  for (;;) {
    const int c = peek();
    if (c == end_of_text) {
      if (kind == '*')
        fail(opened, "unexpected_end", "this comment is never closed: */ is missing");
      return !failed_;
    }
    if (c >= 0x80) {
      if (!utf8_sequence(nullptr))
        return false;
      star = false;
      continue;
    }
    if (c == 0) {
      fail(here(), "nul_byte", "a NUL byte stands in a comment; is this a text file?");
      return false;
    }
    if (c == '\n')
      newline();
    ++at_;
    if ((kind == '/' && c == '\n') || (star && c == '/'))
      return true;
    star = kind == '*' && c == '*';
  }
}

json_value json_reader::value() {
  if (!skip_blanks())
    return {};
  if (std::exchange(colon_due_, false)) {
    if (peek() != ':') {
      unexpected("\":\" behind the key");
      return {};
    }
    ++at_;
    if (!skip_blanks())
      return {};
  }
  const place where = here();
  switch (const int c = peek()) {
  case '{':
  case '[':
    return open(c == '{', where);
  case '"': {
    json_value v{json_kind::string, where, {}};
    return string(v.text) ? v : json_value{};
  }
  case '\'':
    fail(where, "syntax", "strings are written in double quotes, not in single ones");
    return {};
  default:
    if (is_digit(c) || c == '-' || c == '+' || c == '.')
      return number(where);
    if (is_word(c))
      return word(where);
    if (frames_.empty() && c == end_of_text)
      fail(where, "empty_file",
           plain() ? "the file is empty"
                   : "the file is empty; a pipeline is { \"name\": …, \"assets\": { … } } (troupe init writes one)");
    unexpected(!frames_.empty() && !frames_.back().object ? "a value or \"]\"" : "a value");
    return {};
  }
}

json_value json_reader::open(bool object, place where) {
  if (frames_.size() == max_depth) {
    fail(where, "too_deep", "nested deeper than " + std::to_string(max_depth) + " levels");
    return {};
  }
  ++at_;
  frames_.push_back({object, true, where});
  return {object ? json_kind::object : json_kind::array, where, {}};
}

json_value json_reader::number(place where) {
  scratch_.clear();
  for (int c = peek(); is_word(c); c = peek()) {
    if (scratch_.size() == 400) {
      fail(where, "bad_number", "a number of more than 400 characters");
      return {};
    }
    scratch_ += static_cast<char>(c);
    ++at_;
  }
  if (failed_)
    return {};
  if (const auto problem = number_problem(scratch_); !problem.empty()) {
    fail(where, "bad_number", in_quotes(scratch_) + " is no number: " + std::string(problem));
    return {};
  }
  return {json_kind::number, where, scratch_};
}

json_value json_reader::word(place where) {
  scratch_.clear();
  for (int c = peek(); is_word(c) && scratch_.size() < 40; c = peek()) {
    scratch_ += static_cast<char>(c);
    ++at_;
  }
  if (failed_)
    return {};
  if (scratch_ == "true" || scratch_ == "false")
    return {json_kind::boolean, where, scratch_};
  if (scratch_ == "null")
    return {json_kind::null, where, scratch_};
  std::string lower = scratch_;
  for (char& c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  std::string way_out = frames_.empty() && !plain() ? "; a pipeline file is JSON and begins with {"
                                                    : "; a string is written in double quotes";
  if (lower == "true" || lower == "yes" || lower == "on")
    way_out = "; write true";
  else if (lower == "false" || lower == "no" || lower == "off")
    way_out = "; write false";
  else if (lower == "null" || lower == "none" || lower == "nil")
    way_out = "; write null";
  else if (lower == "nan" || lower == "infinity" || lower == "inf")
    way_out = "; JSON has no such number";
  fail(where, "syntax", "expected a value, found " + in_quotes(scratch_) + way_out);
  return {};
}

// Passes the comma before the next item, if there is one; false where the container ends (and leaves it).
bool json_reader::next_item(char closing) {
  if (!skip_blanks())
    return false;
  const bool object = closing == '}';
  frame& f = frames_.back();
  if (!f.first && peek() != closing) {
    if (peek() != ',') {
      unexpected(object ? "\",\" or \"}\" behind the value" : "\",\" or \"]\" behind the value");
      return false;
    }
    ++at_;
    if (!skip_blanks())
      return false;
    if (plain() && peek() == closing) {
      unexpected(object ? "a key behind the comma" : "a value behind the comma");
      return false;
    }
  }
  f.first = false;
  if (peek() != closing)
    return !failed_;
  ++at_;
  frames_.pop_back();
  return false;
}

bool json_reader::next_member(std::string_view& key, place& where) {
  if (out_.full())
    stop();
  if (failed_ || !next_item('}'))
    return false;
  where = here();
  if (peek() != '"') {
    unexpected(is_word(peek()) || peek() == '\'' ? "a key in double quotes" : "a key or \"}\"");
    return false;
  }
  // The colon is left for value(), since passing blanks may replace the chunk that the key is a view of.
  return colon_due_ = string(key);
}

bool json_reader::next_element() {
  if (out_.full())
    stop();
  return !failed_ && next_item(']');
}

void json_reader::skip(const json_value& value) {
  if (value.kind != json_kind::object && value.kind != json_kind::array)
    return;
  const std::size_t outside = frames_.size() - 1;
  std::string_view key;
  place where;
  while (!failed_ && frames_.size() > outside)
    if (frames_.back().object ? next_member(key, where) : next_element())
      static_cast<void>(this->value());
}

void json_reader::finish() {
  if (skip_blanks() && peek() != end_of_text)
    unexpected("the end of the file");
}

} // namespace troupe_internal::config
