// The folder of a state: making it, who holds it, whether it can be trusted after a power loss. Knows nothing of what
// the journal in it says.
//
//   journal.mdb       the journal (docs/journal-format.md); journal.mdb-lock beside it is LMDB's table of readers
//   lock              held (an open-file-description lock) by the single writer, with a few lines on who that is; and,
//   after
//                     that one was killed, for as long as a command it was starting has not got to exec
//   unsynced          only while durability is none: the boot id under which commits were not forced to disk
//   .gitignore        "*"
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

/// Who holds a state. Fields that could not be read are 0 or empty.
struct lock_holder {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;   ///< of that process, /proc/PID/stat field 22: with pid, never a stranger
  std::uint64_t pid_namespace = 0; ///< in which it has that pid: the inode of /proc/self/ns/pid
  timestamp since{};
  std::string command; ///< its command line, for people
};

/// The right to write a state; released when destroyed, or when the process ends in whatever way.
class state_lock {
public:
  state_lock(state_lock&& other) noexcept;
  state_lock& operator=(state_lock&& other) noexcept;
  ~state_lock();
  [[nodiscard]] const std::string& folder() const { return folder_; }

private:
  friend result<state_lock> lock_state(const std::string& folder, duration patience);
  state_lock(std::string folder, int fd) : folder_(std::move(folder)), fd_(fd) {}
  std::string folder_;
  int fd_ = -1;
};

/// Takes the state's lock, making the folder (mode 0700, with its .gitignore) if it is not there. Does not wait for who
/// has it; only, for up to `patience`, for what a dead one was starting: once that has got to exec, it can be told by
/// its environment (leftovers.hpp). state_locked, naming the holder, if another process has it; state_unusable if the
/// folder cannot be used or lies on a network file system. Any thread.
[[nodiscard]] result<state_lock> lock_state(const std::string& folder, duration patience = std::chrono::seconds(10));

/// Whether a process that lives holds the state now. Takes nothing, writes nothing. Any thread.
[[nodiscard]] bool is_held(const std::string& folder);
/// Which one; nullopt if none (or there is no state). Takes nothing, writes nothing. Any thread.
[[nodiscard]] std::optional<lock_holder> holder_of(const std::string& folder);

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

/// Makes entries of the folder survive a power loss.
[[nodiscard]] result<void> sync_folder(const std::string& folder);
/// The same for the folder's own entry in its parent, for the parent's, and so on: whoever made a part of the path may
/// have died before it came to disk.
[[nodiscard]] result<void> sync_path(const std::string& folder);

} // namespace troupe
