// The words of a command that may be paths. Cuts where a shell would cut, roughly; a word that is cut wrongly names no
// file. Knows no disk and no pipeline.
#pragma once

#include "core/pipeline/pipeline.hpp"

#include <string_view>
#include <vector>

namespace troupe_internal::config {

/// One word; what stands between {{ and }} is part of it.
struct command_word {
  std::string_view text;
  bool program = false;    ///< it is what is executed
  bool only_named = false; ///< an argument of rm, echo, mkdir and the like, which read no file
  /// A file that the command itself writes, as far as redirections and the arguments of common programs tell: a
  /// depfile, say, which the next program reads.
  bool written = false;
};

[[nodiscard]] std::vector<command_word> words_of(const asset_declaration& declaration);

} // namespace troupe_internal::config
