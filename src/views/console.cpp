// Terminals: isatty, window size, the environment's wishes about colour.
#include "views/console.hpp"

#include "adapters/system/system_clock.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe_internal::cli {

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool is_dumb() {
  return environment("TERM") == "dumb";
}

} // namespace

void output::pass(std::string_view bytes) const {
  if (guard != nullptr)
    guard->pass(bytes);
  else
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::optional<terminal_size> output::size() const {
  if (!terminal)
    return std::nullopt;
  terminal_size size;
  winsize window{};
  if (::ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size.columns = window.ws_col;
    size.rows = window.ws_row > 0 ? window.ws_row : size.rows;
  } else if (const int columns = std::atoi(std::string(environment("COLUMNS")).c_str()); columns > 0) {
    size.columns = columns;
  }
  return size;
}

bool output::in_background() const {
  if (!terminal)
    return false;
  const auto foreground = ::tcgetpgrp(descriptor); // not above 0: not our terminal, or a job we cannot see
  return foreground > 0 && foreground != ::getpgrp();
}

console::console(std::ostream& out_stream, std::ostream& err_stream, int out_descriptor, int err_descriptor)
    : guarded_out_(out_stream), guarded_err_(err_stream), out{guarded_out_,
                                                              out_descriptor,
                                                              {},
                                                              out_descriptor >= 0 && ::isatty(out_descriptor) == 1,
                                                              &guarded_out_},
      err{guarded_err_, err_descriptor, {}, err_descriptor >= 0 && ::isatty(err_descriptor) == 1, &guarded_err_},
      started(system_clock().monotonic()) {
  set_colour("auto");
}

void console::set_colour(std::string_view when) {
  for (auto* to : {&out, &err}) {
    to->colours.on =
        when == "always" || (when == "auto" && to->terminal && environment("NO_COLOR").empty() && !is_dumb());
    to->guard->set_colours(to->colours.on);
  }
}

bool console::may_repaint(const output& to) {
  return to.terminal && !is_dumb();
}

void write_line_to_stderr(std::string_view line) {
  auto text = guarded(line, false) + "\n";
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno != EINTR)
      return; // there is nobody left to tell
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const auto value = environment(name); !value.empty())
      return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos ||
             value.find("utf-8") != std::string_view::npos;
  return false;
}

} // namespace troupe_internal::cli
