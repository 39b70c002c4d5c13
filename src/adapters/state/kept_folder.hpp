// One folder of a state, held by a descriptor, and its entries by name: no link is followed, and what is no regular
// file of ours is refused. Knows nothing of what the entries are for.
#pragma once

#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// state_unusable: "state FOLDER: cannot WHAT: …" for an errno value, with the way out where there is one.
[[nodiscard]] error state_error(const std::string& folder, const std::string& what, int error_number);
/// A user for people: the name, or "user 1042".
[[nodiscard]] std::string user_words(uid_t user);

/// What an entry is opened for, and so what it has to be.
enum class entry_use : std::uint8_t {
  read,  ///< a regular file
  show,  ///< and without another name: it is printed, and may be a file from elsewhere
  trust, ///< and, in a folder that is ours, ours: what it holds is relied upon while it is open
  write, ///< and without another name: what is written may appear nowhere else
};

/// Where `ours` holds, only this user can put entries into the folder, so what was looked at stays what it is. Any
/// thread. Errors: not_found without an entry, else state_unusable, which names the entry, what was found and the way
/// out.
class kept_folder {
public:
  /// `path` is for messages, and for programs that cannot be handed a descriptor.
  kept_folder(unique_fd fd, std::string path, bool ours) : fd_(std::move(fd)), path_(std::move(path)), ours_(ours) {}

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(std::string_view name) const;
  /// Whether this user owns it and nobody else may write in it.
  [[nodiscard]] bool ours() const { return ours_; }

  /// The entry's own facts, if it is a link the link's; nullopt (errno set) if it has none.
  [[nodiscard]] std::optional<struct stat> look(const std::string& name) const;
  /// Whether open() would find what it has to be, without opening it.
  [[nodiscard]] result<void> check(const std::string& name, entry_use use) const;
  /// The names in it, without "." and "..", in no order.
  [[nodiscard]] result<std::vector<std::string>> names() const;

  [[nodiscard]] result<unique_fd> open(const std::string& name, entry_use use) const;
  /// For writing. Makes it (0600, whatever the umask) if there is none; `made` says whether it did.
  [[nodiscard]] result<unique_fd> open_or_make(const std::string& name, bool& made) const;
  /// For writing: a new file (0600, whatever the umask) in the place of what had the name.
  [[nodiscard]] result<unique_fd> make(const std::string& name) const;
  /// The whole file; state_unusable if it is longer than `limit` bytes.
  [[nodiscard]] result<std::string> read(const std::string& name, std::uint64_t limit,
                                         entry_use use = entry_use::read) const;
  /// A new file with this content, on disk; the folder's entry is not yet.
  [[nodiscard]] result<void> write(const std::string& name, std::string_view text) const;
  /// The same, but a crash leaves what was there before, or all of the new. Uses the name NAME.new.
  [[nodiscard]] result<void> replace(const std::string& name, std::string_view text) const;
  /// A file, or a link itself; no entry is no error.
  [[nodiscard]] result<void> remove(const std::string& name) const;
  [[nodiscard]] result<void> rename(const std::string& from, const std::string& to) const;
  /// Makes the folder's entries survive a power loss.
  [[nodiscard]] result<void> sync() const;

  /// A folder in it. For writing it has to be ours; write permission that others have is taken away.
  [[nodiscard]] result<kept_folder> open_folder(const std::string& name, entry_use use) const;
  /// The same for writing; makes it (0700, whatever the umask) if there is none, and then `made` is true.
  [[nodiscard]] result<kept_folder> open_or_make_folder(const std::string& name, bool& made) const;

  /// A path to the entry for a library that takes nothing else: through /proc, by the descriptor. Without /proc the
  /// folder's own path, after seeing that it leads here.
  [[nodiscard]] result<std::string> path_for_library(const std::string& name) const;
  /// Whether the entry at the folder's path, as anybody would open it now, is the file with this device and inode.
  [[nodiscard]] bool leads_to(const std::string& name, std::uint64_t device, std::uint64_t inode) const;

  /// state_unusable: "state FOLDER: its NAME FINDING. …" with the way out.
  [[nodiscard]] error refused(const std::string& name, const std::string& finding) const;
  /// What an entry that is no regular file is: "a symbolic link", "a FIFO" …; empty for a regular file.
  [[nodiscard]] static std::string kind_words(mode_t mode);

private:
  [[nodiscard]] std::string finding(const struct stat& info, entry_use use) const;
  [[nodiscard]] error not_opened(const std::string& name, entry_use use, int error_number) const;
  [[nodiscard]] result<void> give_owner_bits(int fd, const std::string& name) const;

  unique_fd fd_;
  std::string path_;
  bool ours_;
};

/// Opens a folder by its path relative to `at`: one that a umask took its owner's permissions from gets them back if
/// `made` (it was just made by the caller), and one that cannot be listed is opened to look things up in. -1 with errno
/// on failure.
[[nodiscard]] unique_fd open_folder_at(int at, const char* path, int more_flags, bool made);

} // namespace troupe_internal
