// The bytes of an LMDB 0.9 data file, read without LMDB and without mapping it: its two meta pages, and pages by their
// number. Knows no tree and no record.
#pragma once

#include "adapters/state/kept_folder.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

inline constexpr std::uint64_t lmdb_no_page = ~std::uint64_t{0};
inline constexpr std::size_t lmdb_page_header_bytes = 16;

template <class T>
[[nodiscard]] T lmdb_number_at(const char* bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

/// One tree, as a meta page or the table of tables tells it.
struct lmdb_tree {
  static constexpr std::size_t bytes = 48;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = 0; ///< lmdb_no_page: empty
};
[[nodiscard]] lmdb_tree lmdb_tree_at(const char* bytes);

/// What a meta page says.
struct lmdb_meta {
  std::uint32_t page_bytes = 0;
  std::uint64_t last_page = 0;
  std::uint64_t txn_id = 0;
  lmdb_tree free_list;
  lmdb_tree main; ///< the table of tables
};

/// One thread at a time. Safe beside a writer: what is read is what is on disk at that moment.
class lmdb_file {
public:
  /// An entry of the state's folder. `writes`: LMDB is to write it, though what is opened here only reads. not_found,
  /// state_unusable.
  [[nodiscard]] static result<lmdb_file> open(const kept_folder& dir, const std::string& name, bool writes = false);
  /// A file that is open already.
  explicit lmdb_file(unique_fd fd) : fd_(std::move(fd)) {}

  /// The file that this descriptor is of, through a descriptor of its own.
  [[nodiscard]] static result<lmdb_file> same_as(const std::string& folder, int fd);

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> id() const; ///< device, inode
  /// Both meta pages as they are now; each absent if it is none.
  [[nodiscard]] std::array<std::optional<lmdb_meta>, 2> metas() const;
  /// Exactly `count` bytes at `offset`; false if they are not there, or cannot be read.
  [[nodiscard]] bool read(std::uint64_t offset, char* to, std::size_t count) const;
  /// One page; valid until the next call. Null if it is not there. Pages in sequence cost less.
  [[nodiscard]] const char* page(std::uint64_t number, std::uint32_t page_bytes);

private:
  unique_fd fd_;
  std::vector<char> window_; ///< pages window_first_ …
  std::uint64_t window_first_ = 0;
  std::uint64_t window_count_ = 0;
  std::uint64_t last_asked_ = lmdb_no_page;
};

/// What is wrong with a pair of meta pages of a file of this size; empty if nothing is. The newest is that with the
/// higher transaction number.
[[nodiscard]] std::string lmdb_metas_problem(const std::array<std::optional<lmdb_meta>, 2>& metas);

} // namespace troupe_internal
