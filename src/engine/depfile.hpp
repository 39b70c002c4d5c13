// Which files a compiler says it has read: the rules that gcc and clang write with -MD (make syntax). Knows no disk,
// and nothing of what is done with the names.
//
// As the compilers write it, and as ninja reads it: a blank in a name is "\ ", a "#" is "\#", a "$" is "$$", and a
// backslash elsewhere is itself; an odd number of backslashes before a blank are half as many and the blank. A
// backslash at the end of a line continues it. A ":" ends the targets only where a blank or the end of the line
// follows. Lines that begin with "#" are comments.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// The largest depfile, in bytes.
inline constexpr std::uint64_t max_depfile = 64U << 20U;

/// What stands behind the targets of all rules, each name once, in order; a text without rules has none. invalid_input
/// says in which line what was found.
[[nodiscard]] result<std::vector<std::string>> parse_depfile(std::string_view text);

} // namespace troupe_internal
