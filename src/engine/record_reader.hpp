// Reads the records of many assets in a given order, and ahead of whoever judges them where there is a processor for
// it. Knows nothing of what they say.
#pragma once

#include "base/result.hpp"
#include "core/model/materialization.hpp"
#include "ports/journal_store.hpp"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace troupe_internal {

/// One thread asks.
class record_reader {
public:
  /// `ahead`: on a thread of its own, if the snapshot has a twin and the system a thread; it is at most some thousand
  /// records ahead, and who has to wait for it helps. The snapshot outlives this.
  record_reader(const journal_snapshot& snapshot, std::vector<asset_id> ids, bool ahead);
  ~record_reader();
  record_reader(const record_reader&) = delete;
  record_reader& operator=(const record_reader&) = delete;

  /// The record of the next id, as read_asset() has it; good until the next call, and the caller's to change. No more
  /// calls than there are ids, and none after a failure.
  [[nodiscard]] result<asset_record*> next();

private:
  static constexpr std::size_t batch_size = 64;
  static constexpr std::size_t ring_size = 32;
  /// Records of the ids from batch_size times its number on.
  struct batch {
    std::array<asset_record, batch_size> records; ///< read one after the other into the same memory
    std::size_t count = 0;                        ///< may be less than there are ids: the rest is read when asked for
    std::optional<error> problem;                 ///< with the record behind those
    std::exception_ptr thrown;                    ///< instead of it: no memory
    bool ready = false;                           ///< under mutex_
  };
  [[nodiscard]] std::size_t batches() const { return (ids_.size() + batch_size - 1) / batch_size; }
  void work();
  /// Waits for the batch, and fills others meanwhile that nobody has begun.
  void enter(std::size_t number);
  /// Fills the next batch, from `with`; false if there is none to be filled now.
  [[nodiscard]] bool fill_next(std::unique_lock<std::mutex>& lock, const journal_snapshot& with);
  void fill(batch& into, std::size_t number, const journal_snapshot& with);

  const journal_snapshot& snapshot_;
  std::vector<asset_id> ids_;
  std::size_t asked_ = 0; ///< of the ids
  asset_record record_;

  std::unique_ptr<const journal_snapshot> twin_; ///< the thread's
  std::array<batch, ring_size> ring_;            ///< batches taken_ … claimed_, each at its number modulo the size
  std::mutex mutex_;
  std::condition_variable more_, room_;
  std::size_t claimed_ = 0; ///< batches that somebody fills or has filled; under mutex_
  std::size_t taken_ = 0;   ///< batches that the caller is done with; under mutex_
  bool stopped_ = false;    ///< under mutex_
  batch* current_ = nullptr;
  std::thread thread_;
};

} // namespace troupe_internal
