// Making a state's journal anew: its projections from its events, or all of it in a smaller file. Knows what must be
// there afterwards, not how it is shown.
#pragma once

#include "adapters/journal/lmdb_journal_store.hpp"
#include "core/model/retention.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe_internal {

struct journal_rebuild {
  std::uint64_t events = 0;             ///< there are now
  std::vector<std::string> differences; ///< what was otherwise before, one line each, for people
  bool complete = true;                 ///< false: there were more, or not all could be looked at
};

/// Makes the projections again from the base and the events, in a new file that takes the old one's place: a crash
/// leaves one or the other. Reads the old file without LMDB, so all of it but base and events may be damaged.
/// state_unusable, and nothing changed, if those are. With `drop_history` it is the other way round: what the
/// projections say of assets and files is taken for true and becomes the base, and all events and runs are dropped.
/// not_found without a state. One thread; no store or snapshot of the state is open in the process.
[[nodiscard]] result<journal_rebuild> rebuild_journal(const std::string& folder, bool drop_history);

struct journal_compaction {
  std::uint64_t events_dropped = 0;
  std::vector<run_number> runs_dropped;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

/// Drops what `rule` lets go, in steps each of which leaves a valid state, then copies what is left into a new file
/// that takes the old one's place. `store` is open on the state in `dir`; the caller keeps the lock. Other processes
/// may read the while.
[[nodiscard]] result<journal_compaction> compact_journal(journal_store& store, const state_dir::handle& dir,
                                                         const retention_rule& rule);

} // namespace troupe_internal
