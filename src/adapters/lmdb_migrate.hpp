// A journal copied record by record into a new file: for compaction, and to bring an older format up to date. Knows the
// layouts, not what records mean.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// Where the journal of the format before stays after an upgrade: journal.mdb.format1 in the state's folder.
[[nodiscard]] std::string kept_journal_path(const std::string& folder);

/// The size of a file; 0 if there is none.
[[nodiscard]] std::uint64_t bytes_on_disk(const std::string& path);

/// Copies all that the state's journal holds into a new file of the newest format, which takes its place: a crash
/// leaves one or the other. With `keep_old` the old file then lies at kept_journal_path(). A journal of a format that
/// does not note who may write gets a note that names this user and machine. Returns the new file's size.
/// For the holder of the state's lock; other processes may read the while. One thread.
[[nodiscard]] result<std::uint64_t> copy_journal(const std::string& folder, bool keep_old);

} // namespace troupe
