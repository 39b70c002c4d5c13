// Regular expressions for values from outside. The time for a match grows with the pattern's length times the value's,
// whatever they are, so that a value cannot keep the supervisor busy. Knows nothing of triggers.
//
//   pattern  = branch { "|" branch }        the whole value has to match
//   branch   = { atom [ "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" ] }
//   atom     = character | "." | "[" … "]" | "[^" … "]" | "(" pattern ")" | "(?:" pattern ")" | "\" character
//   \d \w \s are digits, letters with digits and _, blanks; \D \W \S all others. ^ at the beginning and $ at the end
//   may be written and mean nothing more. Bytes are matched: a letter beyond ASCII is several of them.
#pragma once

#include "base/result.hpp"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// A compiled pattern. Never changes; any thread may match with it.
class value_pattern {
public:
  static constexpr std::size_t max_pattern_bytes = 1000;
  static constexpr std::size_t max_states = 5000;
  static constexpr std::uint32_t max_repetitions = 1000;

  /// invalid_input with what is wrong and where.
  [[nodiscard]] static result<value_pattern> compile(std::string_view text);

  [[nodiscard]] bool matches(std::string_view value) const;
  [[nodiscard]] const std::string& text() const { return text_; }

private:
  friend class pattern_compiler;

  using byte_set = std::bitset<256>;
  /// A state either takes a byte of a set and goes on to `next`, or goes on to both without taking any.
  struct state {
    bool takes = false;
    std::uint32_t set = 0; // index into sets_
    std::uint32_t next = 0;
    std::uint32_t other = 0; // = next: only there
  };

  std::string text_;
  std::vector<byte_set> sets_;
  std::vector<state> states_; // the last accepts
  std::uint32_t first_ = 0;
};

} // namespace troupe_internal
