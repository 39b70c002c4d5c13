// The folder of a state: making it, and whether it can be trusted after a power loss. Knows nothing of what the journal
// in it says.
//
//   journal.mdb       the journal (docs/journal-format.md); journal.mdb-lock beside it is LMDB's table of readers
//   lock              held (an open-file-description lock) by the single writer, with a few lines on who that is; and,
//   after
//                     that one was killed, for as long as a command it was starting has not got to exec
//   unsynced          only while durability is none: the boot id under which commits were not forced to disk
//   .gitignore        "*"
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe {

/// Makes the folder (mode 0700, with its .gitignore) if it is not there; its entries come to disk with the journal.
[[nodiscard]] result<void> make_state_folder(const std::string& folder);

/// Whether the folder is absent or empty, or a state's whose journal is not there yet: false where it holds other
/// things.
[[nodiscard]] bool may_become_state(const std::string& folder);

/// Refuses what a memory-mapped file cannot be trusted on: NFS, SMB and their like (state_unusable, with the way out).
[[nodiscard]] result<void> require_local(const std::string& folder);
/// The same question about a type number as statfs(2) gives it: the file system's name, or null if it is local.
[[nodiscard]] const char* network_file_system(std::uint64_t type);

/// This boot's id, as the kernel gives it; empty if it gives none.
[[nodiscard]] std::string current_boot_id();

/// Fails with state_unusable if commits of an earlier boot were never forced to disk (durability none), or could not
/// be: after a power loss or a crash of the machine such a journal may be damaged in ways that cannot all be seen.
[[nodiscard]] result<void> require_trustworthy(const std::string& folder);
/// Whether commits may not have been forced to disk yet.
[[nodiscard]] bool is_marked_unsynced(const std::string& folder);
/// Notes, durably, that commits will not be forced to disk from here on.
[[nodiscard]] result<void> mark_unsynced(const std::string& folder);
/// Notes, durably, that the disk refused what it was to keep: from here on nobody trusts the state, in this boot
/// neither (the kernel forgets such pages, and tells of it once).
[[nodiscard]] result<void> mark_lost(const std::string& folder);
/// Takes either note away, once everything is on disk. No note is no error.
[[nodiscard]] result<void> clear_unsynced(const std::string& folder);

/// state_unusable: "state FOLDER: cannot WHAT: …" for an errno value, with the way out where there is one.
[[nodiscard]] error state_error(const std::string& folder, const std::string& what, int error_number);

/// Makes entries of the folder survive a power loss.
[[nodiscard]] result<void> sync_folder(const std::string& folder);
/// The same for the folder's own entry in its parent, for the parent's, and so on: whoever made a part of the path may
/// have died before it came to disk.
[[nodiscard]] result<void> sync_path(const std::string& folder);

} // namespace troupe
