// Bytes as UTF-8 code points, tolerant of what is not UTF-8. Knows nothing of files or terminals.
#pragma once

#include <cstddef>
#include <string_view>

namespace troupe_internal {

/// The code point that stands for bytes that are not UTF-8.
inline constexpr char32_t replacement_character = 0xFFFD;

/// One code point and how many bytes it took.
struct decoded {
  char32_t point = replacement_character;
  std::size_t bytes = 0;
  bool valid = false;
};

/// The first code point of `text`, which must not be empty. Of malformed bytes, one maximal ill-formed part (Unicode
/// 15, 3.9, table 3-8) is taken as one replacement character. Overlong forms and surrogates are malformed.
[[nodiscard]] decoded decode_utf8(std::string_view text) noexcept;

/// Whether the text, which must not be empty, is the start of one character whose end is missing.
[[nodiscard]] bool is_cut_short(std::string_view text) noexcept;

/// Whether all of the text is well formed.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace troupe_internal
