// The page structure of an LMDB 0.9 file, read without LMDB: LMDB follows damaged pages into undefined behaviour, so
// what is in doubt is looked at from outside first. Knows no table and no record.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// What a meta page says.
struct lmdb_meta {
  std::uint32_t page_bytes = 0;
  std::uint64_t last_page = 0;
  std::uint64_t txn_id = 0;
  struct tree {
    std::uint16_t flags = 0;
    std::uint16_t depth = 0;
    std::uint64_t entries = 0;
    std::uint64_t root = 0; ///< all ones: empty
  };
  tree free_list;
  tree main;
};

/// Refuses a file that is no LMDB file of this format, or that is cut off so that pages in use are missing
/// (state_unusable). Costs two small reads when all is well. Safe while a writer is at work.
[[nodiscard]] result<void> check_lmdb_file(const std::string& folder, const std::string& path);

struct lmdb_page_check {
  std::vector<std::string> problems; ///< empty: LMDB may be trusted with every page; at most a few dozen
  std::uint64_t pages_used = 0;      ///< by trees and large records, both meta pages included
};

/// Walks every page reachable in the transaction `txn_id`: kinds, bounds, sizes, depths, counts, no page twice. The
/// caller holds a read transaction with that id, or nobody writes.
[[nodiscard]] result<lmdb_page_check> check_lmdb_pages(const std::string& folder, const std::string& path,
                                                       std::uint64_t txn_id);

} // namespace troupe
