// Shows a log on a terminal: the lines that have ended, and the one that is being written. Knows bytes, not files or
// runs.
#pragma once

#include "cli/log_text.hpp"
#include "views/console.hpp"
#include "views/log_filter.hpp"

#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// Takes a log in pieces of any size and writes what log_filter leaves of its lines. After each piece the terminal has
/// its own colours again.
class log_screen {
public:
  explicit log_screen(const output& to);
  void add(std::string_view bytes);
  /// Nothing more comes for now: shows the line that has not ended, until more of it comes. Cut where the terminal
  /// ends; nothing where lines cannot be repainted.
  void show_unfinished();
  void finish();

private:
  void write();

  const output& to_;
  log_filter filter_;
  log_view view_;
  std::string text_;    // filtered, not yet written
  std::string painted_; // of the line that has not ended
};

} // namespace troupe_internal::cli
