// mdb_env_*, mdb_txn_*, and the traps around them.
#include "adapters/journal/lmdb_env.hpp"

#include "adapters/journal/lmdb_entry.hpp"
#include "adapters/journal/lmdb_pages.hpp"
#include "adapters/journal/state_lock.hpp"
#include "base/check.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>

namespace troupe_internal {
namespace {

constexpr std::size_t wanted_map_bytes = sizeof(std::size_t) > 4 ? std::size_t{64} << 30U : std::size_t{1} << 29U;
constexpr std::size_t spare_map_bytes = std::size_t{16} << 20U; ///< room to write in, at the very least
constexpr unsigned tables_limit = 128;
constexpr unsigned readers_limit = 512;
constexpr int versions_limit = 20;
constexpr int replacements_limit = 40;
constexpr auto patience_with_replacement = std::chrono::milliseconds(5);
constexpr auto patience_with_readers = std::chrono::seconds(5);

/// LMDB opens its data file without O_CLOEXEC; a child must not inherit it.
void close_on_exec(const struct stat& data_file) {
  auto* fds = ::opendir("/proc/self/fd");
  if (fds == nullptr)
    return; // without /proc: children close all above stderr anyway
  while (const auto* entry = ::readdir(fds)) {
    const int fd = std::atoi(entry->d_name);
    struct stat st {};
    if (entry->d_name[0] != '.' && ::fstat(fd, &st) == 0 && st.st_dev == data_file.st_dev &&
        st.st_ino == data_file.st_ino)
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  ::closedir(fds);
}

} // namespace

error lmdb_error(const std::string& folder, const std::string& doing, int code) {
  const auto says = [&](const std::string& finding) {
    return fail(error_code::state_unusable, "state " + folder + ": cannot " + doing + ": " + finding);
  };
  switch (code) {
  case ENOSPC:
  case EDQUOT:
    return says("the disk is full, or a quota is reached: free space and run again; nothing recorded was lost");
  case EFBIG:
    return says("it may not grow further: a limit on the size of files is reached (see `ulimit -f`); raise it and run "
                "again; nothing recorded was lost");
  case EIO:
    return says("the disk cannot be read or written (input/output error; a full disk, or a limit on the size of files "
                "(ulimit -f), can show like this): free space "
                "or look at the disk, then run again; nothing recorded was lost");
  case EROFS:
    return says("it is on a read-only file system");
  case EACCES:
  case EPERM:
    return says("no permission: state folders belong to the user who made them");
  case ENOMEM:
    return says("no memory or address space left (see `ulimit -v`)");
  case MDB_MAP_FULL:
    return says("the journal has outgrown the address space this process may use (see `ulimit -v`)");
  case MDB_READERS_FULL:
    return says("too many processes are reading it at this moment: try again");
  case MDB_VERSION_MISMATCH:
    return says("the file or its lock file was made by another version of LMDB");
  case MDB_INVALID:
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_PANIC:
  case MDB_BAD_TXN:
    return says("the journal is damaged (" + std::string(mdb_strerror(code)) +
                "): `troupe journal verify` says where; restore it from a copy, or remove journal.mdb to start anew");
  default:
    return says(mdb_strerror(code));
  }
}

/// The files this process has open, by device and inode. LMDB demands it: closing a second opening of a file would drop
/// the locks of the first.
struct lmdb_env::registry {
  std::mutex mutex;
  std::condition_variable closed;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<lmdb_env>> open;
};

lmdb_env::registry& lmdb_env::all_open() {
  // Never destroyed: a program may have an engine in a static variable, which outlives what was made after it.
  static auto& instance = *new registry;
  return instance;
}

lmdb_txn::lmdb_txn(lmdb_txn&& other) noexcept
    : env_(std::move(other.env_)), txn_(std::exchange(other.txn_, nullptr)), reads_(other.reads_) {}

lmdb_txn::~lmdb_txn() {
  if (txn_ == nullptr)
    return;
  mdb_txn_abort(txn_);
  release();
}

int lmdb_txn::commit() {
  TROUPE_CHECK(txn_ != nullptr, "a transaction ends once");
  const int code = mdb_txn_commit(txn_);
  release();
  return code;
}

void lmdb_txn::release() {
  txn_ = nullptr;
  if (reads_)
    env_->read_ended();
}

result<std::shared_ptr<lmdb_env>> lmdb_env::open(const lmdb_open_options& options, const table_opener& open_tables) {
  const auto& dir = *options.dir;
  auto& opened = all_open();
  std::shared_ptr<lmdb_env> env; // outlives the lock: closing takes it
  bool without_lock_file = options.without_lock_file;
  for (int attempt = 0;; ++attempt) {
    std::optional<lmdb_file> seen;
    if (!options.create) {
      auto file = lmdb_file::open(dir, options.file, !options.read_only);
      if (!file)
        return file.error();
      if (!dir.ours())
        file = private_copy(dir, *file);
      if (!file)
        return file.error();
      if (auto problem = lmdb_file_problem(*file, dir.path()); !problem || !problem->empty())
        return problem ? damaged_journal(dir.path(), *problem) : problem.error();
      seen = std::move(*file);
    }
    std::unique_lock lock(opened.mutex);
    if (const auto now = seen && dir.ours() ? dir.look(options.file) : std::nullopt;
        now && seen->id() != std::pair(std::uint64_t{now->st_dev}, std::uint64_t{now->st_ino}) &&
        attempt < replacements_limit)
      continue; // it was replaced just now, by what this process may have open
    if (seen)
      for (auto found = opened.open.find(seen->id()); found != opened.open.end();
           found = opened.open.find(seen->id())) {
        if ((env = found->second.lock())) {
          if (options.read_only)
            return env;
          return fail(error_code::internal, "state " + dir.path() + ": this process has its journal open already");
        }
        opened.closed.wait(lock); // its last user has gone, and it is about to close
      }
    env.reset(new lmdb_env);
    env->dir_ = options.dir;
    env->file_ = options.file;
    if (!dir.ours())
      env->copy_ = std::exchange(seen, {});
    if (auto done = env->open_file(options, without_lock_file); !done)
      return done.error();
    seen.reset();
    opened.open[env->file_id_] = env;
    const auto inspected = options.create ? result<bool>(true) : env->inspect(options);
    if (!inspected)
      return inspected.error();
    if (*inspected) {
      auto tables = open_tables(*env);
      if (!tables)
        return tables.error();
      env->tables_ = *tables;
      return env;
    }
    lock.unlock();
    env.reset();
    if (attempt >= replacements_limit)
      return fail(error_code::state_unusable,
                  "state " + dir.path() + ": its journal is being replaced: try again in a moment");
    if (attempt < replacements_limit / 2)
      std::this_thread::sleep_for(patience_with_replacement);
    else if (options.read_only)
      without_lock_file = !is_locked(dir);
    else // of a journal that is no longer there; this process alone may write
      static_cast<void>(dir.remove(options.file + "-lock"));
  }
}

lmdb_env::~lmdb_env() {
  if (env_ == nullptr)
    return; // never opened
  auto& opened = all_open();
  const std::lock_guard lock(opened.mutex);
  mdb_env_close(env_);
  opened.open.erase(file_id_);
  opened.closed.notify_all();
}

result<bool> lmdb_env::inspect(const lmdb_open_options& options) {
  for (int attempt = 0; attempt < versions_limit; ++attempt) {
    // LMDB takes the number of the last transaction from its lock file, which others may have made for another file.
    const auto txn = begin_read();
    if (!txn)
      return txn.error();
    auto file = copy_ ? lmdb_file::same_as(folder(), copy_->descriptor()) : lmdb_file::open(*dir_, file_);
    if (!file)
      return file.error().code == error_code::not_found ? result<bool>(false) : file.error();
    if (file->id() != file_id_)
      return false;
    const auto id = mdb_txn_id(txn->get());
    for (const auto& version : file->metas())
      if (version && version->txn_id == id) {
        const auto problem = options.inspect ? options.inspect(*file, *version) : std::string();
        return problem.empty() ? result<bool>(true) : damaged_journal(folder(), problem);
      }
    // Else a writer has ended two transactions just now, most likely.
  }
  return false;
}

std::uint64_t lmdb_env::file_bytes() const {
  if (copy_)
    return copy_->bytes();
  const auto info = dir_->look(file_);
  return info ? static_cast<std::uint64_t>(info->st_size) : 0;
}

result<void> lmdb_env::open_file(const lmdb_open_options& options, bool without_lock_file) {
  without_lock_file = without_lock_file || copy_;
  if (!without_lock_file) {
    const auto prepared = may_use_lock_file(*dir_, options.file, options.read_only);
    if (!prepared)
      return prepared.error();
    if (!*prepared)
      if (auto free = require_unheld(*dir_, "journal.mdb-lock belongs to another user"); !free)
        return free;
    without_lock_file = !*prepared;
  }
  auto path = copy_ ? result<std::string>("/proc/self/fd/" + std::to_string(copy_->descriptor()))
                    : dir_->path_for_library(file_);
  if (!path)
    return path.error();
  const auto least = file_bytes() + spare_map_bytes;
  auto map = std::max(options.map_bytes != 0 ? options.map_bytes : wanted_map_bytes, least);
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (options.read_only ? MDB_RDONLY : 0U);
  if (without_lock_file)
    flags |= MDB_NOLOCK;
  MDB_env* opened = nullptr;
  for (;;) {
    if (const int code = mdb_env_create(&opened); code != 0)
      return lmdb_error(folder(), "open its journal", code);
    int code = mdb_env_set_maxdbs(opened, tables_limit);
    if (code == 0)
      code = mdb_env_set_maxreaders(opened, readers_limit);
    if (code == 0)
      code = mdb_env_set_mapsize(opened, map);
    if (code == 0)
      code = mdb_env_open(opened, path->c_str(), flags, 0600);
    if (code == 0)
      break;
    mdb_env_close(opened); // also after a failed open
    if ((code == ENOMEM || code == EINVAL) && map > least) {
      map = std::max(map / 2, least); // little address space (ulimit -v, valgrind): take what there is
    } else if ((code == EACCES || code == EROFS || code == EPERM) && options.read_only && (flags & MDB_NOLOCK) == 0) {
      // Not even the table of readers can be written. That is safe as long as nobody else writes either.
      if (auto free = require_unheld(*dir_, "there is no permission to write journal.mdb-lock"); !free)
        return free;
      flags |= MDB_NOLOCK;
    } else {
      return lmdb_error(folder(), "open its journal", code);
    }
  }
  env_ = opened;
  struct stat st {}; // of what was opened: another file may lie at its path by now
  mdb_filehandle_t fd = -1;
  if (mdb_env_get_fd(env_, &fd) == 0 && ::fstat(fd, &st) == 0)
    close_on_exec(st);
  file_id_ = {st.st_dev, st.st_ino};
  if (!options.read_only)
    forget_dead_readers();
  return {};
}

result<lmdb_txn> lmdb_env::begin_read() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !growing_; });
  for (;;) {
    MDB_txn* txn = nullptr;
    const int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    if (code == 0) {
      ++readers_;
      return lmdb_txn(shared_from_this(), txn, true);
    }
    if (code == MDB_READERS_FULL && forget_dead_readers() > 0)
      continue;
    if (code != MDB_MAP_RESIZED)
      return lmdb_error(folder(), "read its journal", code);
    // Another process has made it larger than what is mapped here.
    if (auto done = remap(lock, file_bytes() + spare_map_bytes); !done)
      return done.error();
  }
}

result<lmdb_txn> lmdb_env::begin_write() {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &txn); code != 0)
    return lmdb_error(folder(), "write its journal", code);
  return lmdb_txn(shared_from_this(), txn, false);
}

void lmdb_env::read_ended() {
  const std::lock_guard lock(mutex_);
  if (--readers_ == 0)
    changed_.notify_all();
}

result<void> lmdb_env::remap(std::unique_lock<std::mutex>& lock, std::size_t at_least) {
  growing_ = true;
  const bool alone = changed_.wait_for(lock, patience_with_readers, [this] { return readers_ == 0; });
  growing_ = false; // nobody gets in before the lock is released
  changed_.notify_all();
  if (!alone)
    return fail(error_code::state_unusable,
                "state " + folder() + ": the journal has to grow, and a reader in this process does not end");
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  for (const auto bytes : {info.me_mapsize * 2, info.me_mapsize + info.me_mapsize / 4, at_least}) {
    // LMDB unmaps before it maps, and is lost if that fails: so see first whether there is room.
    const auto more = std::max(bytes, at_least) - std::min(info.me_mapsize, at_least);
    void* probe = ::mmap(nullptr, more, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (probe == MAP_FAILED)
      continue;
    ::munmap(probe, more);
    if (const int code = mdb_env_set_mapsize(env_, std::max(bytes, at_least)); code != 0)
      return lmdb_error(folder(), "grow its journal", code);
    return {};
  }
  return lmdb_error(folder(), "grow its journal", MDB_MAP_FULL);
}

result<void> lmdb_env::grow() {
  std::unique_lock lock(mutex_);
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return remap(lock, info.me_mapsize + spare_map_bytes);
}

void lmdb_env::set_no_sync(bool no_sync) {
  TROUPE_CHECK(mdb_env_set_flags(env_, MDB_NOSYNC, no_sync ? 1 : 0) == 0, "the flag may change at any time");
}

bool lmdb_env::in_place() const {
  return dir_->leads_to(file_, file_id_.first, file_id_.second);
}

int lmdb_env::forget_dead_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead); // refused: then they stay, until the next look
  return dead;
}

result<void> lmdb_env::sync() {
  if (const int code = mdb_env_sync(env_, 1); code != 0)
    return lmdb_error(folder(), "bring its journal to disk", code);
  return {};
}

} // namespace troupe_internal
