// A journal that is made beside the one there is and then takes its place, whole or not at all. Knows the steps of that
// and nothing of what is written into it.
#pragma once

#include "adapters/journal/lmdb_tables.hpp"
#include "core/journal/event_codec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace troupe_internal {

/// For the holder of the state's lock. One thread. Until take_place() nothing of the state is touched; a crash before
/// it leaves a file that the next draft removes.
class lmdb_draft {
public:
  /// Begins an empty journal with this id, whose file will not be much larger than `bytes`.
  [[nodiscard]] static result<std::unique_ptr<lmdb_draft>> begin(const state_dir::handle& dir, const uuid& id,
                                                                 std::uint64_t bytes);
  ~lmdb_draft();
  lmdb_draft(const lmdb_draft&) = delete;
  lmdb_draft& operator=(const lmdb_draft&) = delete;

  /// To put records with; valid until the next breathe() or take_place().
  [[nodiscard]] lmdb_access& access() { return *access_; }
  /// Between records: ends the transaction when it has grown large, so that memory stays bounded. True if it did.
  [[nodiscard]] result<bool> breathe();
  /// Appends an event; their records are filled as well as pages want. finish_events() ends the last one.
  [[nodiscard]] result<void> add_event(std::uint64_t seq, const event& e);
  [[nodiscard]] result<void> finish_events();

  /// Brings everything to disk, puts the file in the journal's place, and that to disk. Whoever has the old file open
  /// goes on with it. Returns the new file's size.
  [[nodiscard]] result<std::uint64_t> take_place();

private:
  explicit lmdb_draft(state_dir::handle dir) : dir_(std::move(dir)) {}
  [[nodiscard]] result<void> remove_files() const;
  [[nodiscard]] result<void> begin_transaction();
  [[nodiscard]] result<void> commit();

  state_dir::handle dir_;
  std::shared_ptr<lmdb_env> env_;
  std::optional<lmdb_txn> txn_;
  std::optional<lmdb_access> access_;
  std::uint64_t put_bytes_ = 0; ///< when the transaction began
  event_encoder record_;
  std::uint64_t record_seq_ = 0;
  std::uint64_t next_seq_ = 0;
};

} // namespace troupe_internal
