// Writes JSON piece by piece, in constant memory. Knows nothing of what the documents mean, and reads nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Appends `text` as a JSON string with its quotes, as json_writer has it.
void append_json_string(std::string& out, std::string_view text);

/// A JSON text on its way to a stream, without blanks. The caller nests: begin and end must match, and in an object
/// each value follows a key. Characters that may not be shown (see shown_text.hpp) are escapes, so that a document may
/// go to a screen; of text that is not UTF-8 each malformed part is \ufffd, so the output always is UTF-8. One thread
/// at a time. Errors of the stream stay in the stream.
class json_writer {
public:
  explicit json_writer(std::ostream& out) : out_(out) {}
  ~json_writer() { flush(); }
  json_writer(const json_writer&) = delete;
  json_writer& operator=(const json_writer&) = delete;

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  json_writer& key(std::string_view name);
  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view(text)); }
  json_writer& value(const std::string& text) { return value(std::string_view(text)); }
  json_writer& value(std::same_as<bool> auto yes) { return raw(yes ? "true" : "false"); }
  template <std::signed_integral T>
  json_writer& value(T number) {
    return raw(std::to_string(static_cast<std::int64_t>(number)));
  }
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) json_writer& value(T number) {
    return raw(std::to_string(static_cast<std::uint64_t>(number)));
  }
  json_writer& null() { return raw("null"); }
  /// A value that is JSON text already; it is not checked, but characters that may not be shown become escapes.
  json_writer& raw(std::string_view json);

  /// A text that comes in pieces, between begin_text() and end_text().
  json_writer& begin_text();
  void add_text(std::string_view piece);
  json_writer& end_text();

  /// key() and value() in one.
  template <class T>
  json_writer& member(std::string_view name, const T& what) {
    key(name);
    return value(what);
  }

  /// Ends the document's line and hands all that was written to the stream.
  void finish();
  /// Hands all that was written to the stream.
  void flush();

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();
  void spill();

  std::ostream& out_;
  std::string buffer_;
  std::string held_;   // of a text in pieces: the start of a character
  bool comma_ = false; // the next key or value is not the first in its container
};

} // namespace troupe_internal
