// Looks a journal over from outside: is it whole, and what does it hold. Reads only; knows nothing of how the findings
// are shown.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

struct journal_verification {
  std::uint64_t events = 0;          ///< read and applied
  std::vector<std::string> problems; ///< one line each, for people; at most problems_limit
  bool complete = true;              ///< false: there are more problems than are listed, or not all could be looked at
  static constexpr std::size_t problems_limit = 1'000;
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

/// Checks every page, every record's check value and form, that no event is missing, and every projection against a
/// replay of the events on the base, and the content of each value that lies in a file. Works beside a writer and on a
/// read-only state; takes memory in proportion to the projections. Errors are for states that cannot be opened at all:
/// not_found, state_unusable. Any thread.
[[nodiscard]] result<journal_verification> verify_journal(const std::string& folder);

struct journal_statistics {
  struct event_type {
    std::string name;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0; ///< as encoded, without what storage adds
  };
  struct table {
    std::string name;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0; ///< pages in use
  };
  std::uint64_t first_seq = 1; ///< of the oldest event kept
  std::uint64_t last_seq = 0;
  std::uint64_t file_bytes = 0; ///< the file's size; free pages in it are used again before it grows
  std::uint64_t map_bytes = 0;  ///< address space reserved, not disk
  std::uint32_t page_bytes = 0;
  std::uint64_t pages = 0; ///< ever used
  std::uint64_t free_pages = 0;
  std::uint64_t runs = 0;        ///< kept
  std::uint64_t attempts = 0;    ///< in them
  std::vector<event_type> types; ///< all types, in the order of their numbers
  std::vector<table> tables;
  /// Pages of events for each attempt in the runs kept; 0 without attempts.
  [[nodiscard]] double event_bytes_per_attempt() const;
};

/// Counts and sizes. Works beside a writer and on a read-only state. Errors as those of open_snapshot. Any thread.
[[nodiscard]] result<journal_statistics> journal_stats(const std::string& folder);

} // namespace troupe_internal
