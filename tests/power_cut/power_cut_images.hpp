// Many power cuts: for each seed a history, a moment, and one of the disks that it may have left; checked in processes
// of their own, since a damaged journal may take a process with it. Knows what is counted, not how it is told.
#pragma once

#include "disk_model.hpp"
#include "recorded_history.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::test {

/// Every so many seeds share a history.
inline constexpr std::uint64_t images_per_history = 100;

/// What an image can be a case of.
enum class image_case : std::uint8_t {
  no_journal_yet,
  journal_in_making,
  nothing_open,
  sectors_lost,
  pages_torn,
  sectors_mixed,
  entries_lost,
  length_uncertain,
  commit_lost,
  commit_kept,
  retention_cut,
  checkpoint_cut,
  after_killed_process,
  unsynced_refused,
  unsynced_whole,
  count_,
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(image_case::count_)> image_case_names = {
    "before there was a journal",
    "while the journal was made",
    "nothing was unsynced",
    "unsynced sectors lost, others kept",
    "pages torn: part old, part new",
    "sectors torn: part old, part new",
    "unsynced entries of folders lost",
    "the length of the journal uncertain",
    "in a commit, which is not there",
    "in a commit, which is there",
    "in a step of retention",
    "in a checkpoint",
    "after another process had been killed",
    "durability none: refused, with the way out",
    "durability none: brought to disk in time, all there",
};

struct image_options {
  history_options history;
  disk_lies lies;
  bool without_mark = false; ///< the mark "unsynced" is taken out of the image, and what returned counts as promised
  bool stops_at_first_wrong = true;
};

struct image_totals {
  std::uint64_t images = 0, histories = 0, wrong = 0, ops = 0, commits = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(image_case::count_)> cases{};
  void add(const image_totals& other);
};

/// Plays the images `first` … `last` - 1; `told` hears of each wrong one. `scratch`: a folder, on a memory file system
/// where there is one. Forks; one thread.
[[nodiscard]] image_totals play_images(std::uint64_t first, std::uint64_t last, const image_options& options,
                                       const std::string& scratch,
                                       const std::function<void(std::uint64_t, const std::string&)>& told);

/// One image in words: the operations before the cut, what was kept, the verdict. Whether it is right.
[[nodiscard]] bool show_image(std::uint64_t seed, const std::string& scratch);

} // namespace troupe_internal::test
