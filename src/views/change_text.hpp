// From one text to another, for people: in a few words, or as lines that went and came. Knows nothing of what the texts
// are.
#pragma once

#include "core/model/reason.hpp"

#include <cstddef>
#include <string>

namespace troupe_internal::cli {

/// "wc -l in.txt -> wc -w in.txt", or "… -l … -> … -w …" where the texts are long: what they have in common is left
/// out, and what is left is cut at `columns` each. One line, printable.
[[nodiscard]] std::string change_words(const reason_change& change, std::size_t columns = 40);

/// Lines that were removed ("- ") and added ("+ "), each after `indent` and with a line end before it; at most
/// `most_lines` of them, then how many more there are. Printable but for the line ends.
[[nodiscard]] std::string change_lines(const reason_change& change, const std::string& indent,
                                       std::size_t most_lines = 20);

/// Whether the texts are short enough for a sentence.
[[nodiscard]] bool fits_in_a_sentence(const reason_change& change);

} // namespace troupe_internal::cli
