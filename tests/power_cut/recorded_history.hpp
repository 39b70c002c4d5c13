// A history made up from a seed, committed by the real journal store in several lives while its disk is recorded, and
// what the state has to be after each commit. Knows nothing of power cuts.
#pragma once

#include "disk_log.hpp"
#include "ports/journal_store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe_internal::test {

/// What a process notes in the log.
enum class noted : std::uint64_t {
  begun,      ///< commit `number` (1 …) is about to be made
  returned,   ///< it came back without an error
  promised,   ///< all up to it must survive whatever comes
  may_refuse, ///< 1: from here on the state may be refused after a power cut; 0: it may not any more
  life,       ///< a process begins, 0: by making the state
  made,       ///< what is being made: a commit's kind (commit_kind)
};
enum class commit_kind : std::uint64_t { events, checkpoint, retention };

struct history_options {
  bool all_unsynced = false; ///< every life with durability none, closed by nobody
};

class recorded_history {
public:
  /// Records it, with its files in `folder`, which it empties first. Forks; one thread.
  recorded_history(std::uint64_t seed, const std::string& folder, history_options options);

  [[nodiscard]] const std::vector<disk_op>& ops() const { return ops_; }
  /// The state after that many commits; 0: before the first.
  [[nodiscard]] const journal_snapshot& after(std::size_t commits) const { return *expected_.at(commits); }
  [[nodiscard]] std::size_t commits() const { return expected_.size() - 1; }

  /// The state's folder beneath the one that is recorded; its own parents are made with it.
  static constexpr const char* state_folder = "deep/er/state";

private:
  std::vector<disk_op> ops_;
  std::vector<std::unique_ptr<journal_snapshot>> expected_;
};

/// What differs between two states, in words; empty: nothing. The id does not count.
[[nodiscard]] std::string difference(const journal_snapshot& got, const journal_snapshot& wanted);

} // namespace troupe_internal::test
