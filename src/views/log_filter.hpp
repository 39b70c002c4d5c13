// What of a command's output may reach a terminal: text and colours. Knows bytes, not lines, files or runs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// The bytes of the control sequence or string (CSI, OSC, DCS …) that the text begins with; 0 if it begins with none,
/// or with one that does not end.
[[nodiscard]] std::size_t control_sequence_bytes(std::string_view text);

/// Takes output in pieces of any size. Text, lines and tabs stay; of control sequences colours stay if they are wanted
/// (CSI … m with digits, ';' and ':'), all others are left out, as are controls; what may not be shown otherwise
/// (C1, turns of direction, bytes that are not UTF-8), and the start of a sequence that does not end, are escapes.
class log_filter {
public:
  explicit log_filter(bool colours) : colours_(colours) {}
  void add(std::string_view piece, std::string& out);
  /// Between two pieces: ends the colours of the command, which its next piece begins again.
  void pause(std::string& out);
  /// At the end: gives out what was held back, and ends the colours.
  void finish(std::string& out);

private:
  [[nodiscard]] std::size_t take(std::string_view text, bool last, std::string& out);
  void put(std::string_view text, std::string& out);
  void put_colour(std::string_view sequence, std::string& out);

  bool colours_;
  bool paused_ = false;
  std::string colour_; // the sequences in force
  std::string held_;   // the start of a character or sequence, at most most_sequence bytes
};

} // namespace troupe_internal::cli
