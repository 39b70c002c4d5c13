// Who may write a state: one process at a time. Knows nothing of what is written.
//
// There are two: one on the open file `lock`, which says who holds it, and one on the folder's descriptor, which is
// there even where somebody removed that file. Both belong to what is open. Killed, a holder leaves it for a moment to
// a command that it was starting: until that has got to exec, which closes it (child_clone.cpp).
#pragma once

#include "adapters/state/state_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace troupe_internal {

/// Who holds a state. Fields that could not be read are 0 or empty.
struct lock_holder {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0; ///< of that process, /proc/PID/stat field 22: with pid, never a stranger
  std::string where;             ///< in which pid and start_ticks count: a process_place as text
  std::string host;              ///< its host's name, for people: of a container mostly the container's id
  timestamp since{};
  std::string command; ///< its program and verb, for people; of older programs its whole command line
};

/// How long lock_state waits for what a dead holder was starting.
struct lock_patience {
  duration longest = std::chrono::seconds(10);
  std::function<bool()> enough; ///< asked every few milliseconds: whether to give up now
};

/// The right to write a state; released when destroyed, or when the process ends in whatever way. When destroyed it
/// leaves no words in the file.
class state_lock {
public:
  state_lock(state_lock&& other) noexcept = default;
  state_lock& operator=(state_lock&& other) noexcept;
  ~state_lock();
  [[nodiscard]] const std::string& folder() const { return dir_->path(); }
  /// The folder, as it was opened to be locked.
  [[nodiscard]] const state_dir::handle& dir() const { return dir_; }
  /// What holds the lock. A process that was forked off has copies, and holds it, too, until it closes them.
  [[nodiscard]] std::array<int, 2> descriptors() const { return {dir_->descriptor(), fd_.get()}; }
  /// What the file said when the lock was taken: which process had it before. See put_back_words.
  [[nodiscard]] const std::string& words_before() const { return words_before_; }

private:
  friend result<state_lock> lock_state(const std::string& folder, const lock_patience& patience);
  state_lock(state_dir::handle dir, std::string words_before, std::string words, unique_fd fd);
  state_dir::handle dir_;
  std::string words_before_;
  std::string words_; ///< ours
  unique_fd fd_;
  pid_t taken_by_ = 0;
};

/// Takes the state's lock, making the folder if it is not there (state_dir::open_or_make, whose refusals come first)
/// and marking it if it is of before there were marks. Does not wait for who has it; only for what a dead one was
/// starting: once that has got to exec, it can be told by its environment (leftovers.hpp). state_locked, naming the
/// holder, if another process has it; state_unusable if the folder cannot be used or lies on a network file system. Any
/// thread.
[[nodiscard]] result<state_lock> lock_state(const std::string& folder, const lock_patience& patience = {});

/// What locks of this process say that it is: program and verb ("troupe run"), never arguments, which may be secrets.
/// "troupe" if nobody says it. Before any lock is taken.
void name_lock_holder(std::string command);

/// A holder for people: "process 12 (troupe run)", or "process 1 of another PID namespace (a container), on host
/// 4f2c…".
[[nodiscard]] std::string words_on(const lock_holder& holder);
/// The holder that state_lock::words_before() names.
[[nodiscard]] lock_holder holder_before(const std::string& words);
/// Has the file name the holder from before again: for a holder that leaves without having used the state.
void put_back_words(const state_dir& dir, const std::string& words);

/// Whether anybody has the lock now, living or dead. Writes nothing, and takes nothing for longer than the look. Any
/// thread.
[[nodiscard]] bool is_locked(const state_dir& dir);
/// Whether a process holds the state now that is not known to have ended. Likewise.
[[nodiscard]] bool is_held(const std::string& folder);
/// Which one; nullopt if none (or there is no state). Likewise.
[[nodiscard]] std::optional<lock_holder> holder_of(const std::string& folder);
[[nodiscard]] std::optional<lock_holder> holder_of(const state_dir& dir);
/// The same, of one that is proved to live: its pid means it here and now.
[[nodiscard]] std::optional<lock_holder> living_holder_of(const std::string& folder);

} // namespace troupe_internal
