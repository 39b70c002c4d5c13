// A look at a whole journal before anybody has asked for it: on a thread of its own, while the pipeline file is being
// read. Knows whose journal it looks at and which version; opens nothing with LMDB and takes no lock.
#pragma once

#include "adapters/journal/lmdb_file.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace troupe_internal {

/// It may only spare a look at what was found sound: of one version of one file, which no writer has followed by
/// another since. Of whatever else it found, the journal's opening looks again, and says what is wrong. Any thread.
class early_inspection {
public:
  /// Looks at the journal in `folder`, if it is large, and this user's own; null where no thread is to be had.
  [[nodiscard]] static std::shared_ptr<early_inspection> begin(std::string folder);
  /// Breaks the look off.
  ~early_inspection();
  early_inspection(const early_inspection&) = delete;
  early_inspection& operator=(const early_inspection&) = delete;

  /// While others have more urgent work for the processor the look stands still, unless it is waited for.
  void stand_still(bool still);

  using file_id = std::pair<std::uint64_t, std::uint64_t>; ///< device, inode
  /// Whether this version of this file is sound, once the look at it is over. From then on the look stands still no
  /// more.
  [[nodiscard]] bool found_sound(file_id file, std::uint64_t transaction);
  /// The same of what is read of it without its events, once that is known: see inspect_for_writing().
  [[nodiscard]] bool found_projections_sound(file_id file, std::uint64_t transaction);

private:
  early_inspection() = default;
  void look(const std::string& folder);
  [[nodiscard]] bool wait_for(file_id file, std::uint64_t transaction, const bool& sound);

  std::atomic<bool> enough_{false};
  std::atomic<bool> still_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // With the mutex held:
  bool wanted_ = false;
  std::optional<std::pair<file_id, std::uint64_t>> looks_at_;
  bool projections_sound_ = false;
  bool sound_ = false;
  bool over_ = false;
  std::thread worker_;
};

} // namespace troupe_internal
