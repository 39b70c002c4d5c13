// What processes did to the files of one folder, in order: every change, every sync, and notes of what was promised in
// between. Lies in memory that is shared with forked children. Knows nothing of disks or journals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal::test {

struct disk_op {
  enum class kind : std::uint8_t {
    make_folder,
    make_file,
    write,
    resize,
    rename,
    remove,
    sync_file,
    sync_folder,
    note, ///< no operation: something that the process promises or is about to do
  };
  kind what = kind::note;
  bool through = false;   ///< of a write: on disk when it returns (O_DSYNC)
  std::uint64_t file = 0; ///< the file's number; of a note: which
  std::uint64_t number =
      0;             ///< of a write: where; of a resize: to how much; of a new file: its inode; of a note: its number
  std::string path;  ///< relative to the folder; empty: the folder itself
  std::string to;    ///< of a rename
  std::string bytes; ///< of a write
};

/// One process writes at a time; others read when it has ended.
class disk_log {
public:
  disk_log();
  ~disk_log();
  disk_log(const disk_log&) = delete;
  disk_log& operator=(const disk_log&) = delete;

  void add(const disk_op& op);
  void note(std::uint64_t which, std::uint64_t number);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::vector<disk_op> read() const;

private:
  struct header;
  [[nodiscard]] header& head() const;
  char* memory_;
};

} // namespace troupe_internal::test
