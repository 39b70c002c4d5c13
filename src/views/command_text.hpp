// Commands as text for people: words that can be pasted into a shell, and JSON. Knows nothing of assets.
#pragma once

#include "base/json_writer.hpp"
#include "core/model/shown_command.hpp"

#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// One word for a POSIX shell; quoted only where that is needed.
[[nodiscard]] std::string shell_word(std::string_view text);
/// The words of a command on one line: its own text, if a shell reads it.
[[nodiscard]] std::string command_words(const shown_command& command);
/// What to paste into a POSIX shell: the folder, the declared variables (secret ones by where they come from), the
/// command.
[[nodiscard]] std::string pasted(const shown_command& command);
/// {"argv","shell","folder","env"} of one command.
void write_command(json_writer& json, const shown_command& command);

} // namespace troupe_internal::cli
