// What is known of every file's content, so that unchanged ones are not read again. Knows nothing of assets or of
// freshness.
#pragma once

#include "base/large_pages.hpp"
#include "base/result.hpp"
#include "core/model/event.hpp"
#include "engine/catalog.hpp"
#include "ports/clock.hpp"
#include "ports/file_system.hpp"
#include "ports/journal_store.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Stats taken a moment ago by who asked how much is to be read, so that who acts on the answer need not take them
/// again. One thread at a time.
class recent_glances {
public:
  void add(path_slot slot, const file_stat& seen) { seen_.emplace_back(slot, seen); }
  /// Null if nobody has looked.
  [[nodiscard]] const file_stat* find(path_slot slot) const {
    const auto at = std::find_if(seen_.begin(), seen_.end(), [&](const auto& one) { return one.first == slot; });
    return at == seen_.end() ? nullptr : &at->second;
  }

private:
  std::vector<std::pair<path_slot, file_stat>> seen_; // few
};

/// What a look at a file or folder found.
struct file_look {
  digest content; ///< absent_file: it is not there
  executable_bit executable = executable_bit::unknown;
  bool link = false; ///< the path itself is a symbolic link
  digest as_text{};  ///< see file_record
};

/// Content decides, stat only saves reading: a stat that equals the recorded one vouches for the recorded digest,
/// unless the file was read so soon after its last change that a further change could hide (racy); such a file is read
/// again. Any thread; blocks while reading.
class file_table {
public:
  file_table(const file_system& files, const clock& time, catalog& names);

  /// Takes over what the journal knows.
  [[nodiscard]] result<void> load(const journal_snapshot& snapshot);
  /// Folders whose links count by their text for everybody, by slot; the links of all others are followed. To be called
  /// before any look.
  void count_links_by_text(std::vector<bool> slots) { by_text_ = std::move(slots); }
  /// Is handed the listings of the folders that are read. Any thread. To be called before any look.
  void hand_listings_to(std::function<void(std::vector<folder_listing>)> taker) { listings_to_ = std::move(taker); }
  /// Whether the path was a folder when it was last looked at.
  [[nodiscard]] bool is_folder(path_id path) const;
  /// The contents of all folders that the journal knew at load().
  [[nodiscard]] const std::set<digest>& recorded_folders() const { return recorded_folders_; }
  /// The file as it is now. `seen`: what bytes_to_read() has just seen.
  [[nodiscard]] result<file_look> observe(path_slot slot, const file_stat* seen = nullptr);
  /// A file no larger is read while others wait for their turn at the table: soon enough for whoever may not block.
  static constexpr std::uint64_t small_file = 64 * 1024;
  /// How many bytes observe() would read now; nullopt: it would do more than read one file. Up to small_file, neither
  /// this nor observe() waits for whoever reads more. What it saw of a file goes into `seen`.
  [[nodiscard]] std::optional<std::uint64_t> bytes_to_read(path_slot slot, recent_glances& seen);
  /// observe() of many, on up to `threads` threads; what it finds is remembered for remembered(). Not while others use
  /// the table. `seen` (by slot; kind absent: not known) are stats taken a moment ago: where one is the recorded stat,
  /// the file is not looked at again.
  void observe_all(std::span<const path_slot> slots, unsigned threads, std::span<const file_stat> seen = {});
  /// What observe_all() found, without looking again; observe() for a path it was not asked about, or that it could not
  /// read.
  [[nodiscard]] result<file_look> remembered(path_slot slot);
  /// The stat of the file when it was last read or found unchanged; kind absent if it never was.
  [[nodiscard]] file_stat last_stat(path_slot slot);
  /// Forgets what remembered() knows: from now on every question is a look.
  void forget() { remembered_ = {}; }
  /// Reads racy files once more after their times can no longer hide a change: waits for at most the granularity.
  void settle();
  /// What was read since the last call and may be trusted from now on.
  [[nodiscard]] std::vector<observed_file> take_observed();
  /// How many files were read so far (for tests and statistics).
  [[nodiscard]] std::uint64_t reads() const { return reads_.load(); }

private:
  struct entry {
    file_record record;
    bool trusted = false;
  };
  [[nodiscard]] entry& entry_of(path_slot slot);
  [[nodiscard]] static file_look look_of(const entry& e);
  [[nodiscard]] link_rule rule_of(path_slot slot) const {
    return slot.value < by_text_.size() && by_text_[slot.value] ? link_rule::text : link_rule::content;
  }
  [[nodiscard]] result<file_look> look_at(path_slot slot); // nobody else asks about it
  [[nodiscard]] result<file_look> observe_at_length(path_slot slot);
  struct fetched {
    result<file_record> record;
    timestamp read_at;
  };
  [[nodiscard]] fetched fetch(path_slot slot, const file_stat& seen);
  result<file_look> keep(path_slot slot, entry& e, const fetched& found); // the path's stripe is held, or as look_at()
  [[nodiscard]] std::mutex& stripe_of(path_slot slot) const { return stripes_[slot.value % stripes_.size()]; }

  const file_system& files_;
  const clock& time_;
  catalog& names_;
  digest empty_;              // the content of a file without any
  std::vector<bool> by_text_; // by slot
  std::function<void(std::vector<folder_listing>)> listings_to_;
  std::set<digest> recorded_folders_;
  large_vector<entry> entries_; // by slot, of the paths known when this was made: never resized
  mutable std::mutex growth_;
  std::deque<entry> found_entries_; // of those found later; stable addresses
  enum class memory : std::uint8_t { none, absent, recorded };
  std::vector<memory> remembered_;             // by slot
  mutable std::array<std::mutex, 64> stripes_; // of entries; never held for long
  std::array<std::mutex, 64> long_looks_;      // taken before stripes_: one at a time reads what is large
  std::mutex lists_;
  std::vector<path_slot> racy_;
  std::vector<path_slot> dirty_;
  std::atomic<std::uint64_t> reads_{0};
};

} // namespace troupe_internal
