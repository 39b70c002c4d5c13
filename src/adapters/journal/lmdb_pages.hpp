// The trees of an LMDB 0.9 file, walked without LMDB: LMDB follows damaged pages into undefined behaviour, so what is
// in doubt is looked at from outside first. Knows no table by name and no record.
#pragma once

#include "adapters/journal/lmdb_file.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Something that is not as it should be, for people.
struct lmdb_finding {
  std::string table; ///< empty: it concerns the file as a whole
  std::string what;  ///< with its place
};

struct lmdb_page_check {
  std::vector<lmdb_finding> findings; ///< empty: LMDB may be trusted with all that was looked at; at most a few dozen
  std::uint64_t pages_used = 0;       ///< by trees and large records, both meta pages included
  std::uint64_t newest_freeing = 0;   ///< the newest transaction that freed pages: the one that wrote this version
  bool found_table = false;           ///< whether there is the table that alone was asked for
};

/// What of a tree is looked at, and by whom.
struct lmdb_walk {
  /// Of this table (empty: of none) only those pages of entries are read that may hold a key from `first` to `last`;
  /// the others are counted.
  std::string_view sparse_table;
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  /// Of these tables no page of entries is read: they are counted.
  std::vector<std::string_view> counted_tables;
  /// Only this table (empty: all) is walked, beside the table of tables; then nothing is said of the file as a whole.
  std::string_view only_table;
  /// This table (empty: none) is walked behind all others, and `before_last` is called in between if those are sound.
  std::string_view last_table;
  std::function<void()> before_last;
  /// Called with every entry of the tables in sound pages, in order of key; false ends the walk. The views live as
  /// long as the call.
  std::function<bool(std::string_view table, std::string_view key, std::string_view data)> visit;
};

/// What is wrong with the first pages of a file, or with its length (pages in use are missing); empty if nothing is.
/// state_unusable for what is no LMDB file of this format. Costs a few small reads when all is well. Safe while a
/// writer is at work.
[[nodiscard]] result<std::string> lmdb_file_problem(lmdb_file& file, const std::string& folder);

/// Walks the pages of one version of the file: kinds, bounds, sizes, depths, counts, keys in order and where branches
/// say they are, no page used twice, every page used or free. The caller holds a read transaction of that version, or
/// nobody writes.
[[nodiscard]] lmdb_page_check walk_lmdb_pages(lmdb_file& file, const lmdb_meta& version, const lmdb_walk& how = {});

/// The same of one table alone, whose tree was found in some other way. `version` bounds the pages there are.
[[nodiscard]] lmdb_page_check walk_lmdb_table(lmdb_file& file, const lmdb_meta& version, const std::string& name,
                                              const lmdb_tree& tree, const lmdb_walk& how = {});

/// How people are told of damage, and the way out. `finding` says what and where.
[[nodiscard]] error damaged_journal(const std::string& folder, const std::string& finding);

} // namespace troupe_internal
