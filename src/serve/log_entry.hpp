// A line of the supervisor's log: what is said, how urgent it is, and of what. Knows nothing of where it goes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace troupe_internal::serve {

enum class log_level : std::uint8_t { debug, info, warning, error };

struct log_entry {
  log_level level = log_level::info;
  std::string text;
  std::string pipeline, trigger, asset; ///< empty: of none
  std::uint32_t run = 0;                ///< 0: of none
};

/// Any thread.
using log_function = std::function<void(const log_entry&)>;

/// An entry from a sentence, as the supervisor's parts write them: "trigger P/NAME: …", "run #N of P …", "pipeline …".
/// What it names becomes fields. A sentence of something that is left out, waits or fails is a warning.
[[nodiscard]] log_entry log_entry_of(std::string text);

} // namespace troupe_internal::serve
