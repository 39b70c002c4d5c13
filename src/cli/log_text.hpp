// What a terminal shows of a command's output: carriage returns, backspaces and erased lines have their effect. Knows
// bytes and files, not runs.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal::cli {

/// One line of output (without its newline) as a terminal leaves it on the screen: what follows a carriage return
/// overwrites what was there. A line in which nothing was overwritten is returned byte for byte, a carriage return at
/// its end included; of any other, control sequences are left out.
[[nodiscard]] std::string shown_line(std::string_view line);

/// Hands output on line by line, each as shown_line() has it. Takes the output in pieces of any size.
class log_view {
public:
  using taker = std::function<void(std::string_view)>;
  explicit log_view(taker to) : to_(std::move(to)) {}
  void add(std::string_view bytes);
  /// Of the line that has not ended yet, what was not handed on.
  [[nodiscard]] std::string_view unfinished() const { return line_; }
  /// Hands on what is left: a last line without a newline.
  void finish();

private:
  void bound();

  taker to_;
  std::string line_; ///< of the line that has not ended yet
};

/// How wide a line of a log is in the account of a failure.
inline constexpr std::size_t most_log_columns = 400;

/// The last lines of an open file as a terminal shows them, safe to show, each at most most_log_columns wide and a note
/// of how much more there is; fewer lines if they are long (64 KiB are read). Empty if it cannot be read.
[[nodiscard]] std::vector<std::string> last_lines(int fd, std::size_t count);

} // namespace troupe_internal::cli
