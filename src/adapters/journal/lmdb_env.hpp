// LMDB environments and transactions as objects: opening, growing, reading while growing, and what its error codes mean
// to a user. Knows nothing of events or tables.
#pragma once

#include "adapters/journal/lmdb_file.hpp"
#include "adapters/state/state_dir.hpp"
#include "base/result.hpp"

#include <lmdb.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace troupe_internal {

/// How to open a journal's file.
struct lmdb_open_options {
  state_dir::handle dir;           ///< the state's folder
  std::string file = journal_file; ///< in it
  bool read_only = true;
  bool create = false;
  bool without_lock_file = false; ///< for reading alone: no place in the table of readers; nobody may be writing
  std::size_t map_bytes = 0; ///< address space to reserve; 0: as much as is sensible, less where that is not to be had
  /// Called before LMDB follows any page of an existing file: says what is wrong with the version that is about to be
  /// read (empty: nothing), which nobody overwrites meanwhile.
  std::function<std::string(lmdb_file&, const lmdb_meta&)> inspect;
};

/// What LMDB's code means for the state in `folder`, with the way out; `doing` completes "cannot …".
[[nodiscard]] error lmdb_error(const std::string& folder, const std::string& doing, int code);

class lmdb_env;
class lmdb_tables;

/// A transaction; aborted when destroyed unless committed. One thread at a time.
class lmdb_txn {
public:
  lmdb_txn(lmdb_txn&& other) noexcept;
  lmdb_txn& operator=(lmdb_txn&&) = delete;
  ~lmdb_txn();
  [[nodiscard]] MDB_txn* get() const { return txn_; }
  /// LMDB's code. The transaction is over whatever it is.
  [[nodiscard]] int commit();

private:
  friend class lmdb_env;
  lmdb_txn(std::shared_ptr<lmdb_env> env, MDB_txn* txn, bool reads) : env_(std::move(env)), txn_(txn), reads_(reads) {}
  void release();
  std::shared_ptr<lmdb_env> env_;
  MDB_txn* txn_ = nullptr;
  bool reads_ = false;
};

/// An open journal file; in a folder that others may write in, a copy of it in memory, since they could change it under
/// us. LMDB must not open one file twice in a process, so whoever opens it for reading shares what is
/// open. Read transactions begin on any thread; write transactions, growth and sync are the single writer's.
class lmdb_env : public std::enable_shared_from_this<lmdb_env> {
public:
  /// state_unusable for a file that is not to be used (no permission, not a journal, cut off); internal if the process
  /// has the file open already and wants to write.
  /// A file that is being replaced is opened as it was, or as it is. `open_tables` is called once per opening, with
  /// nobody else using it yet.
  using table_opener = std::function<result<std::shared_ptr<const lmdb_tables>>(lmdb_env&)>;
  [[nodiscard]] static result<std::shared_ptr<lmdb_env>> open(const lmdb_open_options& options,
                                                              const table_opener& open_tables);
  ~lmdb_env();
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;

  [[nodiscard]] const std::string& folder() const { return dir_->path(); }
  [[nodiscard]] const state_dir::handle& dir() const { return dir_; }
  [[nodiscard]] MDB_env* get() const { return env_; }
  [[nodiscard]] const lmdb_tables& tables() const { return *tables_; }

  [[nodiscard]] result<lmdb_txn> begin_read();
  [[nodiscard]] result<lmdb_txn> begin_write();
  /// Reserves more address space, twice as much if it is to be had; waits a few seconds for read transactions of this
  /// process to end.
  [[nodiscard]] result<void> grow();
  /// Commits from here on do not wait for the disk (true), or do (false).
  void set_no_sync(bool no_sync);
  /// Whether the file that is open is still the one at its path: nothing keeps others from removing or replacing it.
  [[nodiscard]] bool in_place() const;
  /// Frees the places of readers whose process was killed, in the table of readers: such a place would keep old pages
  /// from being used again, and there are not many. How many there were.
  int forget_dead_readers();
  /// Brings everything committed to disk.
  [[nodiscard]] result<void> sync();

private:
  friend class lmdb_txn;
  struct registry;
  static registry& all_open();

  lmdb_env() = default;
  [[nodiscard]] result<void> open_file(const lmdb_open_options& options, bool without_lock_file);
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// Looks at the file before anybody follows its pages. False: file and lock file do not belong together, or the file
  /// was replaced meanwhile.
  [[nodiscard]] result<bool> inspect(const lmdb_open_options& options);
  [[nodiscard]] result<void> remap(std::unique_lock<std::mutex>& lock, std::size_t at_least);
  void read_ended();

  state_dir::handle dir_; ///< its descriptor is a part of the path that LMDB opens
  std::string file_;
  std::optional<lmdb_file> copy_; ///< what LMDB has open instead of the file in a folder that is not ours
  MDB_env* env_ = nullptr;
  std::shared_ptr<const lmdb_tables> tables_;
  std::pair<std::uint64_t, std::uint64_t> file_id_; ///< device, inode
  std::mutex mutex_;                                ///< guards what follows, and with it the map
  std::condition_variable changed_;
  int readers_ = 0;
  bool growing_ = false; ///< new readers wait: else they could keep the map busy for ever
};

} // namespace troupe_internal
