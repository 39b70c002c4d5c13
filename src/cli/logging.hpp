// Where the program's own log messages go: standard error, or above a running progress display. Knows nothing of what
// is logged.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// The words --log-level knows.
[[nodiscard]] std::vector<std::string> log_level_names();

/// Makes spdlog write messages of at least this level to standard error. `level` is one of log_level_names().
void set_up_logging(std::string_view level);

/// A message of level info. Any thread.
void log_line(std::string_view text);

/// Sends messages to `print` (a line without its end; any thread) instead, until called with nothing.
void redirect_logging(std::function<void(std::string_view)> print);

} // namespace troupe_internal::cli
