// Committed events as lines of JSON, for those who follow the history of a state. Knows nothing of who follows, and
// keeps no events: each is read from the journal when somebody wants it, so that a slow reader costs nothing.
#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "core/model/asset_status.hpp"
#include "ports/journal_store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Who wants which events.
struct feed_position {
  std::uint64_t next = 1;        ///< number of the first event that was not read yet
  std::optional<run_number> run; ///< events of this run alone
};

struct feed_line {
  std::uint64_t seq = 0;
  std::string line;
  // The same as values, for programs.
  std::string_view kind;         ///< type_name(); it lives as long as the program
  std::optional<run_number> run; ///< nullopt: it is of none
  std::optional<timestamp> at;   ///< nullopt: it has no moment of its own
  std::string asset;             ///< "PIPELINE/ASSET"; empty: it is of none
};

/// What one read found.
struct feed_piece {
  std::vector<feed_line> lines;
  bool more = false;               ///< there are others already
  std::optional<run_status> ended; ///< the run that is followed has ended with the last line
};

/// One thread at a time.
class event_feed {
public:
  /// Reads on from the position, and moves it: no more than some thousand events and about `most_bytes` of lines. A
  /// line that is longer than `longest` says only which event was left out.
  [[nodiscard]] result<feed_piece> read(const journal_snapshot& snapshot, feed_position& at, std::size_t most_bytes,
                                        std::size_t longest);

private:
  /// Names of the state's ids, as far as the snapshot has them.
  [[nodiscard]] result<void> learn_names(const journal_snapshot& snapshot);

  std::vector<std::string> assets_;
  std::vector<std::string> paths_;
};

} // namespace troupe_internal
