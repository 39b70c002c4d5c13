// What a state's folder has to be, and whether it can be trusted after a power loss. Knows nothing of what the journal
// in it says.
#pragma once

#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace troupe_internal {

/// Refuses what a memory-mapped file cannot be trusted on: NFS, SMB and their like (state_unusable, with the way out).
[[nodiscard]] result<void> require_local(const kept_folder& folder);
/// The same question about a type number as statfs(2) gives it: the file system's name, or null if it is local.
[[nodiscard]] const char* network_file_system(std::uint64_t type);

/// This boot's id, as the kernel gives it; empty if it gives none.
[[nodiscard]] std::string current_boot_id();

/// Fails with state_unusable if commits of an earlier boot were never forced to disk (durability none), or could not
/// be: after a power loss or a crash of the machine such a journal may be damaged in ways that cannot all be seen.
[[nodiscard]] result<void> require_trustworthy(const state_dir& dir);
/// Whether commits may not have been forced to disk yet.
[[nodiscard]] bool is_marked_unsynced(const state_dir& dir);
/// Notes, durably, that commits will not be forced to disk from here on.
[[nodiscard]] result<void> mark_unsynced(const state_dir& dir);
/// Notes, durably, that the disk refused what it was to keep: from here on nobody trusts the state, in this boot
/// neither (the kernel forgets such pages, and tells of it once).
[[nodiscard]] result<void> mark_lost(const state_dir& dir);
/// Takes either note away, once everything is on disk. No note is no error.
[[nodiscard]] result<void> clear_unsynced(const state_dir& dir);

/// Makes the state's own entry in its parent survive a power loss, the parent's, and so on: whoever made a part of the
/// path may have died before it came to disk.
[[nodiscard]] result<void> sync_path(const state_dir& dir);

} // namespace troupe_internal
