// Repaints one line at most: the carriage return and the erasing are Troupe's own.
#include "cli/log_screen.hpp"

#include "views/text.hpp"

#include <algorithm>

namespace troupe_internal::cli {

log_screen::log_screen(const output& to)
    : to_(to), filter_(to.colours.on), view_([this](std::string_view line) { filter_.add(line, text_); }) {}

void log_screen::write() {
  filter_.pause(text_);
  if (text_.empty())
    return;
  if (!painted_.empty())
    to_.pass("\r\x1b[K");
  painted_.clear();
  to_.pass(text_);
  text_.clear();
}

void log_screen::add(std::string_view bytes) {
  view_.add(bytes);
  write();
}

void log_screen::show_unfinished() {
  if (!console::may_repaint(to_))
    return;
  const auto columns = to_.size().value_or(terminal_size{}).columns;
  auto line =
      truncated(printable_log_line(shown_line(view_.unfinished())), static_cast<std::size_t>(std::max(columns - 1, 1)));
  if (line == painted_)
    return;
  to_.pass((painted_.empty() ? "" : "\r\x1b[K") + line);
  painted_ = std::move(line);
  to_.stream.flush();
}

void log_screen::finish() {
  view_.finish();
  filter_.finish(text_);
  write();
  to_.stream.flush();
}

} // namespace troupe_internal::cli
