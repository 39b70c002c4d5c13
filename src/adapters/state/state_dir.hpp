// The folder of a state, and the only way to anything in it: whose it is, what it may become, its mark. Knows nothing
// of what the journal in it says.
//
//   journal.mdb       the journal (docs/journal-format.md); journal.mdb-lock beside it is LMDB's table of readers
//   lock              held (an open-file-description lock; the folder itself is locked, too) by the single writer, with
//                     a few lines on who that is; and, after that one was killed, for as long as a command it was
//                     starting has not got to exec
//   troupe-state      the mark: Troupe keeps a state here
//   unsynced          only while durability is none: the boot id under which commits were not forced to disk
//   control.sock      a socket, while a run lives: other processes ask something of it (state_socket.hpp)
//   control           the FIFO of older versions
//   logs, members     folders in which old files are deleted, each with a mark of its own
//   payloads          a folder with what came with events of triggers and is too long for the journal
//   results           a folder in which the files that commands report in come and go, each by a name of its own
//   .gitignore        "*"
#pragma once

#include "adapters/state/kept_folder.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace troupe_internal {

/// Shared by all that use one opening of a state. Any thread.
class state_dir : public kept_folder {
public:
  using handle = std::shared_ptr<const state_dir>;
  using kept_folder::open;
  using kept_folder::open_or_make;

  /// For looking. Makes and writes nothing. not_found where a state could be and is not; state_unusable for anything
  /// else that is in the way. Whose the folder is does not matter, but ours() tells.
  [[nodiscard]] static result<handle> open(const std::string& path);
  /// For writing: makes the folder (0700, whatever the umask, with its .gitignore and mark) if it is not there.
  /// Refuses a folder that is another user's, that others may write in, or that holds other things and no state.
  [[nodiscard]] static result<handle> open_or_make(const std::string& path);

  /// Whether the folder carries the mark of a state.
  [[nodiscard]] bool is_marked() const;
  /// Gives it the mark; for the holder of the lock.
  [[nodiscard]] result<void> mark() const;
  /// Whether it holds things that are no part of a state, and neither journal nor mark.
  [[nodiscard]] bool holds_other_things() const;
  /// state_unusable, with the way out, unless ours().
  [[nodiscard]] result<void> require_ours() const;

  /// Opens or makes a folder of Troupe's in the state (0700), with its mark.
  [[nodiscard]] result<std::shared_ptr<const kept_folder>> part(const std::string& name) const;

private:
  state_dir(unique_fd fd, std::string path, bool ours, uid_t owner, mode_t mode)
      : kept_folder(std::move(fd), std::move(path), ours), owner_(owner), mode_(mode) {}
  [[nodiscard]] static result<handle> adopt(unique_fd fd, const std::string& path);
  [[nodiscard]] result<void> begin() const;
  [[nodiscard]] result<void> require_state_or_room() const;
  [[nodiscard]] bool has_old_lock() const;

  uid_t owner_;
  mode_t mode_;
  mutable std::atomic<bool> marked_{false}; ///< was seen
};

inline constexpr const char* journal_file = "journal.mdb";
/// The mark of the folders in a state.
inline constexpr const char* part_mark = ".troupe-mark";

/// state_unusable: holds other things.
[[nodiscard]] error holds_no_state(const std::string& folder);

} // namespace troupe_internal
