// Lines of a log by their numbers, from the end, or by what stands in them. Knows one open file.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace troupe_internal::serve {

struct log_question {
  static constexpr std::size_t usual_lines = 1'000;
  static constexpr std::size_t most_lines = 10'000;
  std::uint64_t from = 1;          ///< the first line that is wanted
  std::size_t count = usual_lines; ///< how many at most
  std::size_t tail = 0;            ///< the last so many instead; 0: not so
  std::string words;               ///< only lines in which this stands; empty: all
};

struct log_line {
  std::uint64_t number = 0; ///< from 1 on
  std::string text;         ///< without its end; at most 64 KiB of it
};

struct log_answer {
  std::deque<log_line> lines;
  std::uint64_t total = 0;   ///< lines there are
  std::uint64_t matches = 0; ///< of these, with the words in them
};

/// Reads the file from its beginning to its end, in constant memory beside the answer. io if it cannot be read.
[[nodiscard]] result<log_answer> find_log_lines(const unique_fd& file, const log_question& asked);
/// The whole file.
[[nodiscard]] result<std::string> read_log(const unique_fd& file);

} // namespace troupe_internal::serve
