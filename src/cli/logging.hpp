// Where the program's own log messages go: standard error, or above a running progress display; as text or as JSON, and
// with journald's priorities where standard error is its. Knows nothing of what is logged.
#pragma once

#include "serve/log_entry.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// The words --log-level and --log-format know.
[[nodiscard]] std::vector<std::string> log_level_names();
[[nodiscard]] std::vector<std::string> log_format_names();

/// Makes spdlog write messages of at least this level to standard error. `level` is one of log_level_names(), `format`
/// of log_format_names().
void set_up_logging(std::string_view level, std::string_view format = "text");

/// A message of level info. Any thread.
void log_line(std::string_view text);
/// Any thread.
void log_entry(const serve::log_entry& entry);

/// Sends messages to `print` (a line without its end; any thread) instead, until called with nothing.
void redirect_logging(std::function<void(std::string_view)> print);

/// Whether the text of the variable JOURNAL_STREAM names the device and inode of this descriptor: then it is journald
/// that reads it. Null: it does not.
[[nodiscard]] bool is_journal_stream(const char* variable, int descriptor);

} // namespace troupe_internal::cli
