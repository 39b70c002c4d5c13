// Group commit: one thread that appends all that is waiting in one transaction. Knows nothing of LMDB or of what the
// events mean.
#pragma once

#include "ports/event_log.hpp"
#include "ports/journal_store.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace troupe_internal {

/// The cost of a commit is shared by all events that wait for it, so it falls as load rises.
class group_commit final : public event_log {
public:
  /// `gather`: how long events that nobody waits for may wait for company. `committed`: called on the thread, after
  /// events are on disk; may be empty.
  group_commit(journal_store& store, duration gather, std::function<void()> committed = {});
  /// Commits what was appended, runs what was submitted, then ends.
  ~group_commit() override;
  group_commit(const group_commit&) = delete;
  group_commit& operator=(const group_commit&) = delete;

  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) override;
  void checkpoint(run_number run, std::string state) override;
  /// Other work on the store, on the same thread, in order with the appends; dropped if the journal has failed.
  void submit(std::function<void(journal_store&)> work);
  /// How long the oldest of what is not on disk yet has waited; 0: nothing waits. Any thread.
  [[nodiscard]] duration oldest_wait();

private:
  struct item {
    std::vector<event> events;
    std::function<void(result<std::uint64_t>)> durable;
    std::function<void(journal_store&)> work; // then events is empty
  };
  void serve();
  void commit(std::deque<item> batch);

  journal_store& store_;
  const duration gather_;
  const std::function<void()> committed_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<item> waiting_;
  bool urgent_ = false;
  std::optional<std::chrono::steady_clock::time_point> since_; ///< when the oldest came that is not on disk
  bool ending_ = false;
  std::uint64_t last_seq_ = 0;   // of the last append; used by the thread alone
  std::optional<error> failure_; // used by the thread alone
  std::thread thread_;           // last: it uses the members above
};

} // namespace troupe_internal
