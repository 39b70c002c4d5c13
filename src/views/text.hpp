// Text for people: how wide it is on a terminal, cut to fit, safe to show, and in columns. Knows nothing of what it
// says.
#pragma once

#include "views/console.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::cli {

/// A text from outside as part of a line of ours: visible(). What is not taken through it cannot harm the terminal
/// either (see guarded_stream), but may look like a line of ours.
[[nodiscard]] inline std::string printable(std::string_view text) {
  return visible(text);
}
/// One line of a command's output, safe to show, without colours: as log_filter has it.
[[nodiscard]] std::string printable_log_line(std::string_view line);

/// Columns the text takes on a terminal: combining marks none, East Asian wide characters two.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// The text, or as much of it as fits into `columns`, ending in "…".
[[nodiscard]] std::string truncated(std::string_view text, std::size_t columns);

/// The same with the "…" before the end, which is kept: names of a matrix differ there.
[[nodiscard]] std::string truncated_inside(std::string_view text, std::size_t columns);

/// "1 asset", "2 assets".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);
/// With one decimal.
[[nodiscard]] std::string one_decimal(double value);
/// "999 B", "1.2 KB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// "a, b and c"; beyond `most` names "a, b and 7 more".
[[nodiscard]] std::string listed(const std::vector<std::string>& names, std::size_t most);

/// Rows in aligned columns.
class table {
public:
  struct column {
    std::string title;
    bool right = false;     ///< aligned to the right
    bool flexible = false;  ///< may be cut where the terminal is too narrow
    bool keeps_end = false; ///< is cut inside, not at its end
    bool may_go = false;    ///< is left out where the terminal is too narrow, before anything is cut
  };
  struct cell {
    // Implicit on purpose: rows are written as lists of texts. NOLINTNEXTLINE(google-explicit-constructor)
    cell(std::string words, tint in = tint::none) : text(std::move(words)), colour(in) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    cell(const char* words) : text(words) {}
    std::string text; ///< as it is; made printable when printed
    tint colour = tint::none;
  };

  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void row(std::vector<cell> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// A header, then the rows; nothing without rows. Fits the output's width if it is a terminal.
  void print(const output& to) const;

private:
  [[nodiscard]] std::vector<std::size_t> widths(const std::optional<terminal_size>& size) const;

  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

} // namespace troupe_internal::cli
