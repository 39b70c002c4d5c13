// The journal in memory, in the three layers of the real one: appended (lost with its process), committed (lost with
// the power, where nothing is synced), synced. What it keeps went through bytes. Knows nothing of what events mean.
#pragma once

#include "core/run/run_state.hpp"
#include "ports/event_log.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// What befalls one commit. All commits after one that failed fail too, until the next writer opens the journal.
enum class commit_fault : std::uint8_t {
  none,
  fails,   ///< nothing of it is on disk
  unknown, ///< it is on disk, but reported as failed
};

class simulated_journal final : public event_log {
public:
  /// `syncs`: a commit is on disk; else the operating system has it, for sync() to write.
  explicit simulated_journal(bool syncs) : syncs_(syncs) {}

  // ---- the port, for a supervisor
  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) override;
  void checkpoint(run_number run, std::string state) override;
  /// Called with each event as it is appended.
  std::function<void(const event&)> on_append;
  /// Called with each checkpoint: the live state of its run, as it says, after all that was appended.
  std::function<void(const std::string&)> on_checkpoint;

  // ---- for the driver
  [[nodiscard]] bool has_appended() const { return !appended_.empty(); }
  [[nodiscard]] bool has_answers() const { return !answers_.empty(); }
  /// The first `count` appends are committed, in one transaction.
  void commit(std::size_t count, commit_fault fault);
  /// The next answer to an append goes out.
  void answer();
  void sync() { synced_ = events_.size(); }
  /// No more than so many events fit; nullopt: no limit.
  void limit(std::optional<std::size_t> events) { limit_ = events; }
  /// Why nothing is committed any more.
  [[nodiscard]] const std::optional<error>& failure() const { return failure_; }
  /// Some commit of this writer was reported as failed, and is on disk.
  [[nodiscard]] bool lied() const { return lied_; }

  // ---- across writers
  /// The writer is gone, and what it had not committed; with the power, what was not synced too.
  void lose_writer(bool power);
  /// As a writer that opens the state does: in a transaction of its own, at once.
  [[nodiscard]] result<void> append_now(std::vector<event> events);
  [[nodiscard]] const std::vector<event>& events() const { return events_; }
  /// Appended by this writer, and not committed.
  [[nodiscard]] std::size_t uncommitted() const { return appended_.size(); }
  /// How many appends this writer has made, and how many of them have been committed, or refused.
  [[nodiscard]] std::uint64_t appends() const { return appends_; }
  [[nodiscard]] std::uint64_t done() const { return appends_ - appended_.size(); }
  [[nodiscard]] std::size_t unsynced() const { return events_.size() - synced_; }
  /// Every record, as written: equal seeds give equal bytes.
  [[nodiscard]] std::string bytes() const;
  /// A run as its last checkpoint and the events after it give it; nullopt without one.
  [[nodiscard]] std::optional<run_state> from_checkpoint(run_number run) const;

private:
  struct item {
    std::vector<event> events;
    std::function<void(result<std::uint64_t>)> durable;
    std::optional<std::string> state;
    run_number run; ///< of `state`
  };
  struct kept_checkpoint {
    std::size_t events = 0;
    std::string state;
  };
  void write(const std::vector<event>& events);

  const bool syncs_;
  std::deque<item> appended_;
  std::deque<std::function<void()>> answers_;
  std::vector<event> events_;
  std::vector<std::pair<std::size_t, std::string>> records_; // number of events up to its end, bytes
  std::map<run_number, kept_checkpoint> checkpoints_;
  std::uint64_t appends_ = 0;
  std::size_t synced_ = 0;
  std::optional<std::size_t> limit_;
  std::optional<error> failure_;
  bool lied_ = false;
};

} // namespace troupe_internal::test
