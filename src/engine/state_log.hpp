// The one way into a state's journal for all of its runs: first that this writer is here, then new names before what
// uses them. Knows nothing of runs.
#pragma once

#include "adapters/journal/group_commit.hpp"
#include "engine/events_before.hpp"
#include "ports/event_log.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe_internal {

/// Any thread.
class state_log final : public event_log {
public:
  /// `opening`: what to append before anything else, asked for once.
  /// `committed`: called by the thread after events are on disk.
  state_log(journal_store& store, std::shared_ptr<state_names> names, std::function<std::vector<event>()> opening,
            std::function<void()> committed);

  /// From now on events are committed by a thread. Throws std::system_error where the system gives none.
  void start();
  [[nodiscard]] bool started();
  /// Whether anything was appended.
  [[nodiscard]] bool used();

  /// After start() only.
  void append(std::vector<event> events, bool urgent, std::function<void(result<std::uint64_t>)> durable) override;
  void checkpoint(run_number run, std::string state) override;
  /// Appends, and waits until it is on disk; also before start(). The number of the last event.
  [[nodiscard]] result<std::uint64_t> append_now(std::vector<event> events);
  /// Waits until all that was appended so far is on disk.
  [[nodiscard]] result<void> flush();
  /// Other work on the store, in order with the appends.
  [[nodiscard]] group_commit& commits() { return *commits_; }

private:
  journal_store& store_;
  events_before before_; ///< guarded by mutex_
  const std::function<void()> committed_;
  std::mutex mutex_; ///< held while events get their place in the order
  std::unique_ptr<group_commit> commits_;
};

} // namespace troupe_internal
