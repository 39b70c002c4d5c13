// A reader of shell text of its own, for holding the engine's against: words, with what is quoted in them, and
// operators. Knows the plain part of POSIX's token rules and says when a text goes beyond it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::fuzz {

/// One character of a word; what is quoted is data and nothing else.
struct shell_character {
  char c = 0;
  bool quoted = false;
  friend bool operator==(const shell_character&, const shell_character&) = default;
};

/// A word, or an operator (one of ; & | < > ( ) or a newline).
struct shell_token {
  bool is_operator = false;
  std::vector<shell_character> text;
  friend bool operator==(const shell_token&, const shell_token&) = default;
};

/// The tokens; nullopt where there is more to the text than quotes, words, operators and comments, or a quote is open.
[[nodiscard]] std::optional<std::vector<shell_token>> shell_tokens(std::string_view text);

} // namespace troupe_internal::fuzz
