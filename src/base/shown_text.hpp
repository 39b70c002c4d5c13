// Which characters may reach a screen as they are, what stands for the others, and colours as marks in a text. Knows
// nothing of streams, terminals or JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe_internal {

/// Whether a character may be shown as it is. Not so what steers a screen or turns the direction of writing: controls
/// (C0, DEL, C1), bidirectional controls, line and paragraph separators, U+FFFE and U+FFFF.
[[nodiscard]] bool is_showable(char32_t point) noexcept;

/// How many bytes at the start of the text are printable ASCII.
[[nodiscard]] std::size_t plain_prefix(std::string_view text) noexcept;

/// The text on one line, with an escape for each character that may not be shown: \n, \t, \x1b, \u202e; each byte that
/// is not UTF-8 is \xff. A text that was made visible stays as it is.
[[nodiscard]] std::string visible(std::string_view text);

/// The few colours used, by meaning.
enum class tint : std::uint8_t { none, good, bad, warn, info, dim, strong };

/// The text between two marks for the colour: bytes that never occur in UTF-8. Only text_guard makes the sequences of a
/// terminal of them, so a text from outside cannot bring its own.
[[nodiscard]] std::string painted(tint colour, std::string_view text);
/// The text without marks.
[[nodiscard]] std::string unpainted(std::string_view text);

/// What all text goes through on its way out: lines and tabs stay, marks become colours, and everything else that may
/// not be shown becomes an escape as visible() has it. Takes the text in pieces of any size. A colour ends with its
/// line.
class text_guard {
public:
  explicit text_guard(bool colours = false) : colours_(colours) {}
  /// Whether marks become colours; otherwise they are escaped like all other bytes that are not UTF-8.
  void set_colours(bool on) { colours_ = on; }
  void add(std::string_view piece, std::string& out);
  /// Gives out what was held back of a character that has not ended.
  void finish(std::string& out);
  /// Whether the piece would be given out as it is.
  [[nodiscard]] bool passes(std::string_view piece) const noexcept;

private:
  void add_whole(std::string_view text, std::string& out);

  bool colours_;
  bool open_ = false; // a colour has begun
  std::string held_;  // the start of a character, at most 3 bytes
};

/// A whole text as text_guard gives it out.
[[nodiscard]] std::string guarded(std::string_view text, bool colours);

} // namespace troupe_internal
