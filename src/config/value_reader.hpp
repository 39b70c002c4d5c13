// Reads values of the types that pipeline files are made of, and reports what is something else. Knows no key by name.
#pragma once

#include "config/json_reader.hpp"
#include "config/value_text.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::config {

/// Every reader takes the next value whole, whatever it is; nullopt means it was wrong and that was reported. `what`
/// names the value in messages and is quoted there.
class value_reader {
public:
  value_reader(json_reader& reader, findings& list) : json(reader), out(list) {}

  /// A string; valid until the next value is read. `expected` completes "has to be …".
  [[nodiscard]] std::optional<std::string_view> string(std::string_view what, std::string_view expected = "a string");
  [[nodiscard]] std::optional<std::string_view> name(std::string_view what);
  [[nodiscard]] std::optional<bool> boolean(std::string_view what);
  [[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view what, std::int64_t least, std::int64_t most);
  [[nodiscard]] std::optional<duration> time_span(std::string_view what, duration least);
  /// The same for a value that was read already.
  [[nodiscard]] std::optional<duration> time_span_of(const json_value& value, std::string_view what, duration least);
  [[nodiscard]] std::optional<std::uint64_t> size(std::string_view what, std::uint64_t least);
  /// The index of one of the words.
  [[nodiscard]] std::optional<std::size_t> one_of(std::string_view what, std::span<const std::string_view> words);

  /// Opens an object and hands each known key to `member(index)`, which has to read its value. Unknown and duplicate
  /// keys are reported and skipped. False if there is no object.
  template <class Member>
  bool object(std::string_view what, std::span<const std::string_view> keys, Member&& member) {
    return expect(json_kind::object, what, "an object") && members(what, keys, std::forward<Member>(member));
  }
  /// The same, once the object is open.
  template <class Member>
  bool members(std::string_view what, std::span<const std::string_view> keys, Member&& member) {
    std::array<place, 40> seen{};
    std::string_view key;
    place where;
    while (json.next_member(key, where)) {
      std::size_t i = 0;
      while (i < keys.size() && keys[i] != key)
        ++i;
      if (i == keys.size()) {
        unknown_key(key, where, what, keys);
        skip_value();
      } else if (seen[i].line != 0) {
        duplicate(key, where, seen[i]);
        skip_value();
      } else {
        seen[i] = key_place_ = where;
        member(i);
      }
    }
    return true;
  }
  /// Opens an array and calls `element(index)` for each value, which has to be read.
  template <class Element>
  bool array(std::string_view what, std::string_view expected, Element&& element) {
    if (!expect(json_kind::array, what, expected))
      return false;
    for (std::size_t i = 0; json.next_element(); ++i)
      element(i);
    return true;
  }

  /// Reads a value of this kind; any other is reported and skipped.
  bool expect(json_kind kind, std::string_view what, std::string_view expected);
  void wrong_type(const json_value& found, std::string_view what, std::string_view expected);
  void skip_value();
  void unknown_key(std::string_view key, place where, std::string_view what, std::span<const std::string_view> keys);
  void duplicate(std::string_view key, place where, place first);
  /// The place of the last value read.
  [[nodiscard]] place where() const { return where_; }
  /// The place of the key that members() handed out last.
  [[nodiscard]] place key_place() const { return key_place_; }
  [[nodiscard]] json_value next() {
    const json_value v = json.value();
    where_ = v.where;
    return v;
  }

  json_reader& json;
  findings& out;

private:
  [[nodiscard]] std::optional<std::string_view> name_text(std::string_view what);

  place where_;
  place key_place_;
};

/// `"timeout"`: how `what` is put into messages; a text that holds blanks stays as it is.
[[nodiscard]] std::string named(std::string_view what);

} // namespace troupe_internal::config
