// What a disk may hold after a power cut: what was synced for certain; of everything else any part, sector by sector
// and entry by entry. Knows files and folders, not what is in them.
#pragma once

#include "disk_log.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace troupe_internal::test {

inline constexpr std::size_t sector_bytes = 512;

/// Ways in which a disk may not keep what it was asked to: each must be found out.
struct disk_lies {
  bool about_files = false;   ///< fsync and fdatasync of files do nothing
  bool about_folders = false; ///< fsync of folders does nothing
  bool about_writes = false;  ///< O_DSYNC does nothing
};

/// What an image was made of.
struct image_facts {
  std::size_t sectors_open = 0;  ///< not synced
  std::size_t sectors_kept = 0;  ///< of them, in their last or an earlier version
  std::size_t sectors_mixed = 0; ///< of them, part old and part new
  std::size_t pages_torn = 0;    ///< 4,096 bytes with sectors that are kept beside others that are not
  std::size_t entries_open = 0;  ///< changes of folders that were not synced
  std::size_t entries_kept = 0;
  bool length_open = false; ///< the journal's length was not certain
};

class disk_model {
public:
  explicit disk_model(disk_lies lies = {}) : lies_(lies) { folders_[""] = true; }

  /// The operation is over.
  void apply(const disk_op& op) { apply(op, true); }
  /// The operation was under way when the power went: it may have done all, some or nothing.
  void begin(const disk_op& op) { apply(op, false); }

  /// Makes one of the possible disks beneath `folder`, which exists and is empty. The same numbers from `random` make
  /// the same one.
  image_facts make_image(std::mt19937_64& random, const std::string& folder) const;

private:
  using sector = std::array<char, sector_bytes>;
  struct file_state {
    std::string now;                                   ///< as programs see it
    std::string synced;                                ///< on disk for certain
    std::map<std::uint64_t, std::vector<sector>> open; ///< by number: each later version of a sector
    std::vector<std::uint64_t> open_sizes;             ///< each later length
  };
  /// What a name stands for: a file's number, 0: nothing, no_file: a folder.
  using entry = std::uint64_t;
  static constexpr entry nothing = 0;
  static constexpr entry folder_entry = ~entry{0};
  struct change {
    std::string folder; ///< the one whose sync makes it certain
    std::vector<std::pair<std::string, entry>> names;
  };

  void apply(const disk_op& op, bool over);
  void write(file_state& file, std::uint64_t at, const std::string& bytes, bool through);
  void resize(file_state& file, std::uint64_t bytes);
  static void settle(file_state& file);
  void change_names(std::vector<std::pair<std::string, entry>> names);
  void move_contents(const std::string& from, const std::string& to);
  [[nodiscard]] std::map<std::string, entry> names_kept(std::mt19937_64& random, image_facts& facts) const;
  static std::string content_kept(const file_state& file, std::mt19937_64& random, image_facts& facts);

  disk_lies lies_;
  std::map<std::uint64_t, file_state> files_;
  std::map<std::string, bool> folders_;
  std::map<std::string, entry> names_now_;
  std::map<std::string, entry> names_synced_;
  std::vector<change> open_changes_;
};

} // namespace troupe_internal::test
