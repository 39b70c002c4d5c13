// Reads JSON value by value from chunks, and says where each key and value is. Knows nothing of pipelines. Keeps one
// chunk and one token in memory, whatever the size of the text.
//
// Boost.JSON's parsers tell a handler neither places nor what was expected, so this reader is written out; the tests
// hold it against Boost.JSON's.
#pragma once

#include "config/findings.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::config {

enum class json_kind : std::uint8_t { none, object, array, string, number, boolean, null };

/// A value's beginning: all of a scalar, the opening bracket of a container.
struct json_value {
  json_kind kind = json_kind::none; ///< none: there is no value, the text is wrong here, and that was reported
  place where;
  std::string_view text; ///< a string's content, anything else as written; valid until the reader is asked again
};

/// `commented` JSON, which people write: with comments, trailing commas and a byte order mark, without NUL in strings.
/// `plain` JSON, which programs write: as the standard has it.
enum class json_dialect : std::uint8_t { commented, plain };

/// Copies the next bytes of the text and returns how many: 0 at its end, -1 if it cannot be read.
using chunk_source = std::function<std::ptrdiff_t(char* into, std::size_t capacity)>;
/// The source of a text in memory, which has to outlive it.
[[nodiscard]] chunk_source chunks_of(std::string_view text);

/// Pulls values in the order of the text. After a mistake in syntax, which is reported once, it is failed(): every
/// answer is "no more". One thread.
class json_reader {
public:
  static constexpr std::uint64_t max_text_bytes = std::uint64_t(1) << 30U;
  static constexpr std::size_t max_string_bytes = std::size_t(1) << 20U;
  static constexpr std::size_t max_depth = 64;

  json_reader(chunk_source source, findings& out, json_dialect dialect = json_dialect::commented);

  /// The next value. Where next_member() or next_element() said true it has to be asked for exactly once, and what is
  /// in a container has to be read to its end (or skipped) before anything behind it.
  [[nodiscard]] json_value value();
  /// In an object: its next key, ready for value(); false at its end. The key is valid until then.
  [[nodiscard]] bool next_member(std::string_view& key, place& where);
  /// In an array: whether there is one more value; false at its end.
  [[nodiscard]] bool next_element();
  /// Reads to the end of what value() returned.
  void skip(const json_value& value);
  /// Reads to the end of the text, where only blanks and comments may stand.
  void finish();

  [[nodiscard]] bool failed() const { return failed_; }
  /// The line that it has got to.
  [[nodiscard]] std::uint32_t line() const { return line_; }
  /// The place that it has got to.
  [[nodiscard]] place position() const { return here(); }
  /// The source returned -1.
  [[nodiscard]] bool unreadable() const { return unreadable_; }
  /// Reads nothing more.
  void stop() { failed_ = true; }

private:
  struct frame {
    bool object = false;
    bool first = true;
    place opened;
  };
  static constexpr int end_of_text = -1;
  static constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD, for bytes that are no UTF-8
  static constexpr bool is_digit(int c) { return c >= '0' && c <= '9'; }
  static constexpr bool is_word(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.' || c == '+' ||
           c == '-';
  }
  /// Upper-case, `digits` of them.
  static std::string to_hex(std::uint32_t value, int digits);
  /// "U+00A0" for one character's UTF-8.
  static std::string code_point(std::string_view text);

  [[nodiscard]] int peek() { return at_ < end_ || refill() ? static_cast<unsigned char>(buffer_[at_]) : end_of_text; }
  [[nodiscard]] bool refill();
  [[nodiscard]] place here() const { return {line_, static_cast<std::uint32_t>(base_ + at_ - line_start_ + 1)}; }
  void newline() { // standing on it
    ++line_;
    line_start_ = base_ + at_ + 1;
  }
  bool skip_blanks();
  bool skip_comment();
  void first_bytes();
  [[nodiscard]] bool next_item(char closing);
  [[nodiscard]] json_value open(bool object, place where);
  [[nodiscard]] json_value number(place where);
  [[nodiscard]] json_value word(place where);
  [[nodiscard]] bool string(std::string_view& text);
  [[nodiscard]] bool rest_of_string(place opened);
  void control_character(place where, std::uint32_t c);
  [[nodiscard]] bool escape();
  [[nodiscard]] bool hex4(std::uint32_t& unit);
  [[nodiscard]] bool utf8_sequence(std::string* into);
  [[nodiscard]] std::string found();
  void fail(place where, std::string_view code, std::string message);
  void unexpected(std::string_view expected);
  [[nodiscard]] std::string opened_at() const;

  [[nodiscard]] bool plain() const { return dialect_ == json_dialect::plain; }

  chunk_source source_;
  findings& out_;
  json_dialect dialect_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t base_ = 0;       // offset of buffer_[0] in the text
  std::uint64_t line_start_ = 0; // offset of the current line's first byte
  std::uint32_t line_ = 1;
  std::string scratch_;
  std::vector<frame> frames_;
  bool failed_ = false;
  bool unreadable_ = false;
  bool begun_ = false;
  bool colon_due_ = false;     // a key was read, its value was not asked for yet
  bool told_encoding_ = false; // in the current string
};

} // namespace troupe_internal::config
