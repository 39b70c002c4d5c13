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
  /// `ahead`: on a thread of its own, if the snapshot has a twin and the system a thread; it is at most some hundred
  /// records ahead. The snapshot outlives this.
  record_reader(const journal_snapshot& snapshot, std::vector<asset_id> ids, bool ahead);
  ~record_reader();
  record_reader(const record_reader&) = delete;
  record_reader& operator=(const record_reader&) = delete;

  /// The record of the next id, as read_asset() has it; good until the next call, and the caller's to change. No more
  /// calls than there are ids, and none after a failure.
  [[nodiscard]] result<asset_record*> next();

private:
  static constexpr std::size_t batch_size = 64;
  struct batch {
    std::array<asset_record, batch_size> records; ///< read one after the other into the same memory
    std::size_t count = 0;
    std::optional<error> problem; ///< with the record behind those
    std::exception_ptr thrown;    ///< instead of it: no memory
    [[nodiscard]] bool failed() const { return problem || thrown; }
  };
  void work();
  void fill(batch& into);

  const journal_snapshot& snapshot_;
  std::vector<asset_id> ids_;
  std::size_t at_ = 0; ///< of the ids, what is read next
  asset_record record_;

  std::unique_ptr<const journal_snapshot> twin_; ///< the thread's
  std::array<batch, 4> ring_; ///< numbers taken_ … filled_ are the caller's, the others the thread's
  std::mutex mutex_;
  std::condition_variable more_, room_;
  std::uint64_t filled_ = 0; ///< batches; under mutex_
  std::uint64_t taken_ = 0;  ///< batches; under mutex_
  bool stopped_ = false;     ///< under mutex_
  batch* current_ = nullptr;
  std::size_t next_ = 0; ///< in *current_
  std::thread thread_;
};

} // namespace troupe_internal
