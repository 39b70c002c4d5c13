// Collects what is wrong with one pipeline file, up to a bound. Knows nothing of the file.
#pragma once

#include "core/pipeline/diagnostic.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe_internal::config {

/// Adds to a list of diagnostics; a file that is wrong everywhere does not fill the terminal.
class findings {
public:
  static constexpr std::size_t max_errors = 100;
  static constexpr std::size_t max_warnings = 100;

  explicit findings(diagnostics& out) : out_(out) {}

  void error(place where, std::string_view code, std::string message) {
    if (full())
      return;
    out_.error(where, code, std::move(message));
    ++errors_;
  }
  /// Warnings beyond as many are left out: they hinder nothing.
  void warning(place where, warning_code code, std::string message) {
    if (warnings_++ < max_warnings)
      out_.warning(where, code, std::move(message));
  }
  /// No further error is kept: reading on is of no use.
  [[nodiscard]] bool full() const { return errors_ >= max_errors; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] bool clean() const { return errors_ == 0; }
  [[nodiscard]] diagnostics& list() { return out_; }
  /// Counts errors that others added to the list.
  void recount() {
    errors_ = 0;
    for (const auto& item : out_.items)
      errors_ += item.level == severity::error ? 1 : 0;
  }

private:
  diagnostics& out_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

/// The text in double quotes for a message: control characters escaped, bytes that are not UTF-8 as U+FFFD, the end of
/// a long one as "…".
[[nodiscard]] std::string in_quotes(std::string_view text);

} // namespace troupe_internal::config
