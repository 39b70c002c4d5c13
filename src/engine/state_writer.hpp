// The one writer of a state: lock, journal, and what a dead writer left behind. Knows nothing of pipelines.
#pragma once

#include "adapters/journal/lmdb_journal_store.hpp"
#include "adapters/journal/state_lock.hpp"
#include "base/result.hpp"
#include "core/model/event.hpp"
#include "engine/project.hpp"
#include "ports/clock.hpp"
#include "ports/journal_store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// How a state is opened for writing.
struct state_opening {
  troupe_internal::durability durability = troupe_internal::durability::pipelined;
  duration grace{}; ///< of what a dead writer left running
  /// Go on even where it cannot be known whether that still runs.
  bool assume_dead = false;
  /// The command of an asset ("pipeline/asset") for people; may be empty, and may answer with nothing.
  std::function<std::string(std::string_view asset)> command_of{};
  /// Gets the processes of a dead writer that were ended, if there were any; before open() returns, even where it
  /// fails.
  std::function<void(const std::vector<ended_process>&)> ended{};
  /// Gets a line for people on something that recovery did or left undone.
  std::function<void(const std::string& text)> note{};
  /// Secret files are going to be read: the state gets a key for their digests, if it has none.
  bool reads_secret_files = false;
  /// Whoever looks at the journal already; may be null.
  std::shared_ptr<early_inspection> early{};
  /// Asked once the state is locked, and before a journal is made in it: whether it is still the one to write to.
  std::function<result<void>()> still_here{};
  /// The state's lock, where this process has it since before: it keeps it whatever comes of this. Null: it is taken.
  std::shared_ptr<const state_lock> lock{};
};

/// Holds the state's lock for its lifetime. One thread at a time.
class state_writer {
public:
  /// Locks and opens (creating it if there is none). If the last writer did not leave in order: ends what is left of
  /// its processes, and records these and their attempts as interrupted, before it returns; `stop` ends what there is
  /// to wait for: once for the lock, twice for the grace of those processes. state_locked names the holder; or it says
  /// what a dead writer may have left running: in a PID namespace that cannot be seen from here, or as a process that
  /// only the journal says is its own. state_unusable if the state was made elsewhere: then nothing was touched.
  [[nodiscard]] static result<std::unique_ptr<state_writer>> open(const std::string& folder, const state_opening& how,
                                                                  clock& time, const stop_request& stop);

  [[nodiscard]] journal_store& store() { return *store_; }
  /// The state's folder, which is locked.
  [[nodiscard]] const state_dir::handle& dir() const { return dir_; }
  /// For who is to keep it beyond this writer.
  [[nodiscard]] const std::shared_ptr<const state_lock>& lock() const { return lock_; }
  /// Whether the last writer did not leave in order.
  [[nodiscard]] bool recovered() const { return recovered_; }
  /// Events to append before any others: that this writer is here. Empty once taken.
  [[nodiscard]] std::vector<event> take_opening();
  /// Events to append last of all.
  [[nodiscard]] std::vector<event> closing() const;

private:
  state_writer(std::shared_ptr<const state_lock> lock, std::unique_ptr<journal_store> store, clock& time)
      : lock_(std::move(lock)), store_(std::move(store)), dir_(lock_->dir()), time_(time) {}
  [[nodiscard]] result<void> recover(const std::string& lock_words, const state_opening& how, const stop_request& stop);
  /// Ends what the attempts of a dead writer left; `events` gets what to record of it.
  [[nodiscard]] result<void> end_what_is_left(const journal_snapshot& snapshot, const std::vector<open_attempt>& open,
                                              const std::string& lock_words, const state_opening& how,
                                              const stop_request& stop, std::vector<event>& events);

  std::shared_ptr<const state_lock> lock_; ///< first, so that it is released last
  std::unique_ptr<journal_store> store_;
  state_dir::handle dir_;
  clock& time_;
  bool opening_due_ = true;
  bool recovered_ = false;
};

/// The end of an attempt whose supervisor died, as recorded by the next writer.
[[nodiscard]] std::vector<event> interrupted_attempts(const std::vector<open_attempt>& open, timestamp now);

} // namespace troupe_internal
