// Opening, making, marking.
#include "adapters/state/state_dir.hpp"

#include "adapters/state/state_folder.hpp"
#include "adapters/system/posix_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

namespace troupe_internal {
namespace {

constexpr const char* state_mark = "troupe-state";
constexpr const char* ignore_file = ".gitignore";
constexpr const char* state_mark_text = "Troupe keeps the state of a pipeline in this folder.\n"
                                        "It makes, changes and deletes files here. Keep nothing else in it.\n";
constexpr mode_t state_folder_mode = 0700;
constexpr mode_t others_may_write = 0022;

/// A folder with nothing but these holds nothing of anybody else's. (Folders are not among them.)
constexpr std::array<std::string_view, 13> own_names = {ignore_file,
                                                        state_mark,
                                                        "lock",
                                                        "control",
                                                        "control.sock",
                                                        "unsynced",
                                                        "unsynced.new",
                                                        "journal.mdb-lock",
                                                        "journal.mdb.new",
                                                        "journal.mdb.new-lock",
                                                        "journal.mdb.format1",
                                                        "journal.mdb.moved",
                                                        "supervised.json"};

constexpr const char* elsewhere = "name another folder with --state or engine.state_dir";

/// Why no state can be or come to be there; null: one can, or it is not known.
const char* problem_of_place(const std::string& folder, int why) {
  struct stat info {};
  if (why == ENOENT && ::lstat(folder.c_str(), &info) == 0 && S_ISLNK(info.st_mode))
    return "it is a link that leads nowhere";
  if (why != ENOTDIR)
    return nullptr;
  return ::stat(folder.c_str(), &info) == 0 ? "it is a file, not a folder"
                                            : "a part of its path is a file, not a folder";
}

} // namespace

error holds_no_state(const std::string& folder) {
  return fail(error_code::state_unusable, folder +
                                              " holds other things and no state of Troupe, which keeps its state in a "
                                              "folder of its own. Nothing was changed. Name an empty folder, or one "
                                              "that does not exist yet, with --state or engine.state_dir");
}

result<state_dir::handle> state_dir::adopt(unique_fd fd, const std::string& path) {
  struct stat info {};
  if (!fd.lift_above_standard() || ::fstat(fd.get(), &info) != 0)
    return state_error(path, "use it", errno);
  const bool ours = info.st_uid == ::geteuid() && (info.st_mode & others_may_write) == 0;
  return handle(new state_dir(std::move(fd), path, ours, info.st_uid, info.st_mode & 07777U));
}

result<state_dir::handle> state_dir::open(const std::string& path) {
  auto fd = open_folder_at(AT_FDCWD, path.c_str(), 0, false);
  if (fd)
    return adopt(std::move(fd), path);
  const int why = errno;
  if (const auto* problem = problem_of_place(path, why))
    return fail(error_code::state_unusable,
                "there can be no state in " + path + ": " + problem + ". Remove it, or " + elsewhere);
  // What may not be looked at is not taken for an empty history.
  if (why != ENOENT)
    return fail(error_code::state_unusable, "the state in " + path + " cannot be read: " + errno_text(why));
  return fail(error_code::not_found, "there is no state in " + path + " yet");
}

result<state_dir::handle> state_dir::open_or_make(const std::string& path) {
  constexpr int tries = 10; // somebody else may make and remove it
  bool made = false;
  unique_fd fd;
  for (int i = 0; !fd; ++i) {
    fd = open_folder_at(AT_FDCWD, path.c_str(), made ? O_NOFOLLOW : 0, made);
    if (fd)
      break;
    if (errno != ENOENT || i == tries)
      return state_error(path, "use it", errno == ENOENT ? EEXIST : errno);
    made = ::mkdir(path.c_str(), state_folder_mode) == 0;
    if (!made && errno == ENOENT) {
      std::error_code failed;
      std::filesystem::create_directories(std::filesystem::path(path).lexically_normal().parent_path(), failed);
      if (failed)
        return state_error(path, "make its parent folder", failed.value());
      made = ::mkdir(path.c_str(), state_folder_mode) == 0;
    }
    if (!made && errno == EEXIST)
      if (const auto* problem = problem_of_place(path, ENOENT))
        return fail(error_code::state_unusable,
                    "there can be no state in " + path + ": " + problem + ". Remove it, or " + elsewhere);
    if (!made && errno != EEXIST)
      return state_error(path, "make the folder", errno);
  }
  if (made) // a umask may have taken a part of them
    if (struct stat info{}; ::fstat(fd.get(), &info) == 0 && info.st_uid == ::geteuid() &&
                            (info.st_mode & state_folder_mode) != state_folder_mode &&
                            ::fchmod(fd.get(), state_folder_mode) != 0)
      return state_error(path, "make the folder", errno);
  auto dir = adopt(std::move(fd), path);
  if (!dir)
    return dir;
  if (auto mine = (*dir)->require_ours(); !mine)
    return mine.error();
  auto good = require_local(**dir);
  if (good)
    good = made ? (*dir)->begin() : (*dir)->require_state_or_room();
  if (good)
    return dir;
  if (made) { // nothing is left of it
    static_cast<void>((*dir)->remove(ignore_file));
    static_cast<void>((*dir)->remove(state_mark));
    ::rmdir(path.c_str());
  }
  return good.error();
}

result<void> state_dir::require_ours() const {
  if (ours())
    return {};
  if (owner_ != ::geteuid())
    return fail(error_code::state_unusable, "state " + path() + " belongs to " + user_words(owner_) + ", and this is " +
                                                user_words(::geteuid()) + ": nothing was changed. Run as " +
                                                user_words(owner_) + ", or " + elsewhere);
  std::string mode;
  for (int shift = 6; shift >= 0; shift -= 3)
    mode += static_cast<char>('0' + (mode_ >> static_cast<unsigned>(shift) & 7U));
  return fail(error_code::state_unusable, "state " + path() + " can be written by other users (its mode is " + mode +
                                              "), who may have put anything there: nothing was changed. See what is in "
                                              "it, then run `chmod go-w " +
                                              path() + "`; or " + elsewhere);
}

bool state_dir::is_marked() const {
  if (!marked_.load()) {
    const auto info = look(state_mark);
    marked_.store(info && S_ISREG(info->st_mode));
  }
  return marked_.load();
}

result<void> state_dir::mark() const {
  bool made = false;
  const auto file = open_or_make(state_mark, made);
  if (!file)
    return file.error();
  // Its being there counts: a disk that is full is no reason to stop here.
  marked_.store(true);
  if (made)
    static_cast<void>(::write(file->get(), state_mark_text, std::string_view(state_mark_text).size()) > 0);
  return {};
}

result<void> state_dir::begin() const {
  // A folder that is there and marked is taken as it is, so the mark comes last: a crash must not leave a state that
  // git does not ignore.
  const auto ignore = look(ignore_file);
  if (!ignore || (S_ISREG(ignore->st_mode) && ignore->st_size == 0))
    if (auto written = write(ignore_file, "*\n"); !written)
      return written;
  return mark(); // its entries come to disk with the journal
}

bool state_dir::has_old_lock() const {
  const auto words = read("lock", 1U << 16U, entry_use::write);
  return words && words->starts_with("pid ");
}

bool state_dir::holds_other_things() const {
  if (is_marked() || look(journal_file) || has_old_lock())
    return false;
  const auto all = names();
  return !all || std::any_of(all->begin(), all->end(), [](const auto& name) {
    return std::find(own_names.begin(), own_names.end(), name) == own_names.end();
  });
}

result<void> state_dir::require_state_or_room() const {
  if (is_marked())
    return {};
  // States of before there were marks: with a journal, or with the words that a writer left.
  if (look(journal_file) || has_old_lock())
    return {};
  if (holds_other_things())
    return holds_no_state(path());
  return begin();
}

result<std::shared_ptr<const kept_folder>> state_dir::part(const std::string& name) const {
  bool made = false;
  auto folder = open_or_make_folder(name, made);
  if (!folder)
    return folder.error();
  const auto marked = made ? std::nullopt : folder->look(part_mark);
  if (!marked) {
    const auto file = folder->open_or_make(part_mark, made);
    if (!file)
      return file.error();
    constexpr std::string_view text = "Troupe made this folder, and makes and deletes files in it.\n";
    static_cast<void>(::write(file->get(), text.data(), text.size()) > 0);
  }
  return std::make_shared<const kept_folder>(std::move(*folder));
}

} // namespace troupe_internal
