// Where the program's words go: the two streams, whether they are terminals, how wide, and whether in colour. This is
// the only way out for text (tests/layers.py). Knows nothing of what is said.
#pragma once

#include "base/shown_text.hpp"
#include "base/time.hpp"
#include "views/guarded_stream.hpp"

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace troupe_internal::cli {

/// Colours text (see painted()), or leaves it alone.
struct palette {
  bool on = false;
  [[nodiscard]] std::string paint(tint colour, std::string_view text) const {
    return on ? painted(colour, text) : std::string(text);
  }
};

/// Width and height in characters.
struct terminal_size {
  int columns = 80;
  int rows = 24;
};

/// One stream and the terminal behind it, if there is one.
struct output {
  std::ostream& stream;
  int descriptor = -1; ///< -1: not a terminal, whatever else it is
  palette colours;
  bool terminal = false;
  guarded_stream* guard = nullptr; ///< the same stream, if it is guarded

  /// Writes bytes as they are; see guarded_stream::pass().
  void pass(std::string_view bytes) const;
  /// The terminal's size now; nullopt if it is none. COLUMNS counts where the terminal does not know.
  [[nodiscard]] std::optional<terminal_size> size() const;
  /// Whether it is this process's terminal and another job has it now: `troupe run &`, or Ctrl-Z and bg.
  [[nodiscard]] bool in_background() const;
};

/// Standard output and standard error of one invocation.
class console {
public:
  console(std::ostream& out_stream, std::ostream& err_stream, int out_descriptor = -1, int err_descriptor = -1);

  /// auto, always, never; auto: only on a terminal, unless NO_COLOR is set or TERM is dumb.
  void set_colour(std::string_view when);
  /// Whether a block may be repainted on it: a terminal that is not dumb.
  [[nodiscard]] static bool may_repaint(const output& to);

private:
  guarded_stream guarded_out_, guarded_err_;

public:
  output out, err;
  /// When the command started, by system_clock::monotonic(): what the user waits is counted from here. Set to the
  /// moment of construction; main() knows better.
  duration started;
  /// Asks the user on the terminal and waits for the answer; empty where nobody can be asked.
  std::function<bool(const std::string& question)> ask;
};

/// Writes a line to standard error where there is no console: from any thread.
void write_line_to_stderr(std::string_view line);

/// Whether the locale's characters are UTF-8, so that more than ASCII may be drawn.
[[nodiscard]] bool locale_is_utf8();

} // namespace troupe_internal::cli
