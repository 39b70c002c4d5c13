// A journal copied record by record into a new file: for compaction, and to bring an older format up to date. Knows the
// layouts, not what records mean.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal {

/// The journal of the format before, after an upgrade.
inline constexpr const char* kept_journal_file = "journal.mdb.format1";

/// The size of the journal's file; 0 if there is none.
[[nodiscard]] std::uint64_t journal_bytes(const state_dir& dir);

/// Copies all that the state's journal holds into a new file of the newest format, which takes its place: a crash
/// leaves one or the other. With `keep_old` the old file then lies at journal.mdb.format1. A journal of a format that
/// does not note who may write gets a note that names this user and machine. Returns the new file's size.
/// For the holder of the state's lock; other processes may read the while. One thread.
[[nodiscard]] result<std::uint64_t> copy_journal(const state_dir::handle& dir, bool keep_old);

} // namespace troupe_internal
