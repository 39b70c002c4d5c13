// The layout is that of LMDB 0.9 on 64-bit machines (struct MDB_page, MDB_node, MDB_db in its mdb.c): nodes found
// through 16-bit offsets behind the page's header; they lie side by side at the page's end.
#include "adapters/journal/lmdb_pages.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <set>

namespace troupe_internal {
namespace {

constexpr std::size_t page_head_bytes = lmdb_page_header_bytes;
constexpr std::size_t node_header_bytes = 8;
constexpr std::size_t findings_limit = 32;
constexpr std::size_t largest_page = 65536;

enum page_flags : std::uint16_t { branch = 0x01, leaf = 0x02, overflow = 0x04 };
enum node_flags : std::uint16_t { big_data = 0x01, sub_tree = 0x02 };
constexpr std::uint16_t integer_key = 0x08;
/// Of the environment: kept in the free list's flags, of no meaning there.
constexpr std::uint16_t file_without_folder = 0x4000;

enum class tree_kind : std::uint8_t { free_list, tables, records };

struct table_tree {
  std::string name; ///< empty: the file's own
  std::string place;
  lmdb_tree tree;
  tree_kind kind = tree_kind::records;
};

struct page_node {
  std::string_view key;
  std::uint64_t low = 0; ///< bytes of data; in a branch, the low 32 bits of the child's page
  std::uint16_t flags = 0;
  std::size_t room = 0; ///< from the data's first byte to the page's end
};

std::uint64_t number_of(std::string_view key) {
  return key.size() == 8 ? lmdb_number_at<std::uint64_t>(key.data(), 0) : lmdb_number_at<std::uint32_t>(key.data(), 0);
}

class page_walk {
public:
  page_walk(lmdb_file& file, const lmdb_meta& version, const lmdb_walk& how)
      : file_(file), meta_(version), how_(how), page_bytes_(version.page_bytes),
        pages_(std::min(version.last_page + 1, file.bytes() / version.page_bytes)), seen_(pages_) {}

  lmdb_page_check run() {
    const bool whole = how_.only_table.empty();
    if (!take(0, 1) || !take(1, 1)) // its number of pages wraps around
      problem_of_file("its number of pages makes no sense");
    const table_tree tables{"", "the table of tables", meta_.main, tree_kind::tables};
    if (whole)
      walk({"", "the list of free pages", meta_.free_list, tree_kind::free_list});
    walk(tables);
    const table_tree* last = nullptr;
    for (std::size_t i = 0; i < tables_.size() && !full() && !stopped_; ++i) {
      if (!whole && tables_[i].name != how_.only_table)
        continue;
      found_.found_table = true;
      if (!how_.last_table.empty() && tables_[i].name == how_.last_table)
        last = &tables_[i];
      else
        walk(tables_[i]);
    }
    if (last != nullptr && !full() && !stopped_) {
      if (how_.before_last && found_.findings.empty())
        how_.before_last();
      walk(*last);
    }
    if (whole && found_.findings.empty() && !stopped_)
      account();
    return std::move(found_);
  }

  lmdb_page_check run(const std::string& name, const lmdb_tree& tree) {
    walk({name, "table \"" + name + "\"", tree});
    return std::move(found_);
  }

private:
  struct visit {
    std::uint64_t page = 0;
    std::uint16_t depth = 1; ///< 1: the root
    std::string from;        ///< what the branch above says of its keys: at least this,
    std::string below;       ///< and less than this; empty: no bound
  };

  [[nodiscard]] bool full() const { return found_.findings.size() >= findings_limit; }
  void problem(const table_tree& table, std::uint64_t page, const std::string& what) {
    if (!full())
      found_.findings.push_back({table.name, "page " + std::to_string(page) + " of " + table.place + ": " + what});
  }
  void problem_of_file(std::string what) {
    if (!full())
      found_.findings.push_back({"", std::move(what)});
  }
  void problem_of_table(const table_tree& table, const std::string& what) {
    if (!full())
      found_.findings.push_back({table.name, table.place + ": " + what});
  }
  /// Pages used once, and all of them in the file.
  bool take(std::uint64_t first, std::uint64_t count) {
    if (first >= pages_ || count > pages_ - first)
      return false;
    for (auto page = first; page < first + count; ++page) {
      if (seen_[page])
        return false;
      seen_[page] = true;
    }
    found_.pages_used += count;
    return true;
  }

  static int compare(const table_tree& table, std::string_view a, std::string_view b) {
    if ((table.tree.flags & integer_key) == 0)
      return a.compare(b);
    const auto left = number_of(a);
    const auto right = number_of(b);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  void walk(const table_tree& table) {
    const auto& tree = table.tree;
    const auto flags = table.kind == tree_kind::free_list ? tree.flags & ~file_without_folder : tree.flags;
    if (flags != 0 && (flags != integer_key || table.kind == tree_kind::tables))
      return problem_of_table(table, "its flags make no sense");
    if (tree.root == lmdb_no_page) {
      if (tree.entries != 0 || tree.depth != 0 || tree.branch_pages != 0 || tree.leaf_pages != 0 ||
          tree.overflow_pages != 0)
        problem_of_table(table, "it is empty, but says it has entries");
      return;
    }
    const auto findings_before = found_.findings.size();
    counted_ = {};
    unread_leaves_ = 0;
    key_bytes_ = 0;
    std::vector<visit> todo(1);
    todo.back().page = tree.root;
    while (!todo.empty() && !full() && !stopped_) {
      const auto at = std::move(todo.back());
      todo.pop_back();
      if (!take(at.page, 1)) {
        problem(table, at.page, "it is missing, or used twice");
        continue;
      }
      if (at.depth == tree.depth && is_skipped(table, at)) {
        ++counted_.leaf_pages;
        ++unread_leaves_;
        continue;
      }
      const char* bytes = file_.page(at.page, page_bytes_);
      if (bytes == nullptr)
        problem(table, at.page, "it cannot be read");
      else
        look(table, at, bytes, todo);
    }
    if (stopped_ || found_.findings.size() != findings_before)
      return;
    if (counted_.branch_pages != tree.branch_pages || counted_.leaf_pages != tree.leaf_pages ||
        (unread_leaves_ == 0 && (counted_.entries != tree.entries || counted_.overflow_pages != tree.overflow_pages)) ||
        counted_.overflow_pages > tree.overflow_pages)
      problem_of_table(table, "it has " + std::to_string(counted_.entries) + " entries and " +
                                  std::to_string(counted_.branch_pages + counted_.leaf_pages) +
                                  " pages, and says otherwise");
    unseen_pages_ += tree.overflow_pages - std::min(counted_.overflow_pages, tree.overflow_pages);
  }

  /// Whether none of the keys that are asked for can be in this page of entries.
  [[nodiscard]] bool is_skipped(const table_tree& table, const visit& at) const {
    if (table.kind != tree_kind::records || (table.tree.flags & integer_key) == 0)
      return false;
    if (std::find(how_.counted_tables.begin(), how_.counted_tables.end(), table.name) != how_.counted_tables.end())
      return true;
    if (how_.sparse_table.empty() || table.name != how_.sparse_table)
      return false;
    return how_.first > how_.last || (!at.below.empty() && number_of(at.below) <= how_.first) ||
           (!at.from.empty() && number_of(at.from) > how_.last);
  }

  [[nodiscard]] page_node node_at(const char* page, std::size_t offset) const {
    const char* n = page + offset;
    const std::size_t key_bytes = lmdb_number_at<std::uint16_t>(n, 6);
    const auto room = page_bytes_ - offset - node_header_bytes;
    page_node out;
    out.low = lmdb_number_at<std::uint16_t>(n, 0) | std::uint64_t{lmdb_number_at<std::uint16_t>(n, 2)} << 16U;
    out.flags = lmdb_number_at<std::uint16_t>(n, 4);
    out.room = key_bytes <= room ? room - key_bytes : 0;
    out.key = {n + node_header_bytes, std::min(key_bytes, room)};
    return out;
  }

  void look(const table_tree& table, const visit& at, const char* p, std::vector<visit>& todo) {
    const std::size_t lower = lmdb_number_at<std::uint16_t>(p, 12);
    const std::size_t upper = lmdb_number_at<std::uint16_t>(p, 14);
    const bool is_leaf = at.depth == table.tree.depth;
    if (lmdb_number_at<std::uint64_t>(p, 0) != at.page)
      return problem(table, at.page, "it bears another page's number");
    if (lmdb_number_at<std::uint16_t>(p, 10) != (is_leaf ? leaf : branch))
      return problem(table, at.page, "it is of the wrong kind");
    if (lower < page_head_bytes || lower % 2 != 0 || lower > upper || upper > page_bytes_)
      return problem(table, at.page, "its bounds make no sense");
    const auto count = (lower - page_head_bytes) / 2;
    if (count < (is_leaf ? 1U : 2U))
      return problem(table, at.page, "it is empty");
    if (!nodes_are_side_by_side(p, count, upper, is_leaf))
      return problem(table, at.page, "its entries overlap, or leave gaps");
    ++(is_leaf ? counted_.leaf_pages : counted_.branch_pages);

    const auto first_child = todo.size();
    std::string_view before = at.from;
    bool strictly = false; // the first key may be the bound itself
    for (std::size_t i = 0; i < count; ++i) {
      const auto n = node_at(p, lmdb_number_at<std::uint16_t>(p, page_head_bytes + 2 * i));
      // The first key of a branch page stands for "less than all": whatever is there is not looked at.
      const bool is_bound = is_leaf || i > 0;
      if (is_bound && !key_fits(table, n.key))
        return problem(table, at.page, "a key has an impossible size");
      if (is_bound) {
        const int order = before.empty() ? 1 : compare(table, n.key, before);
        if (order < 0 || (order == 0 && strictly) || (!at.below.empty() && compare(table, n.key, at.below) >= 0))
          return problem(table, at.page, "its keys are out of order");
        before = n.key;
        strictly = true;
      }
      if (is_leaf) {
        ++counted_.entries;
        if (!look_at_data(table, n))
          return problem(table, at.page, "an entry's data has an impossible size or place");
        if (stopped_)
          return;
        continue;
      }
      visit child;
      child.page = n.low | std::uint64_t{n.flags} << 32U;
      child.depth = static_cast<std::uint16_t>(at.depth + 1);
      child.from = is_bound ? std::string(n.key) : at.from;
      if (i > 0)
        todo.back().below = child.from;
      todo.push_back(std::move(child));
    }
    if (!is_leaf) {
      todo.back().below = at.below;
      std::reverse(todo.begin() + static_cast<std::ptrdiff_t>(first_child), todo.end()); // the lowest keys come first
    }
  }

  /// Each node ends where another begins, or the page ends, and together they fill all from `upper` on: what LMDB
  /// writes next goes directly before `upper`.
  [[nodiscard]] bool nodes_are_side_by_side(const char* p, std::size_t count, std::size_t upper, bool is_leaf) {
    begins_.reset();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t offset = lmdb_number_at<std::uint16_t>(p, page_head_bytes + 2 * i);
      if (offset < upper || offset % 2 != 0 || offset + node_header_bytes > page_bytes_ || begins_[offset / 2])
        return false;
      begins_[offset / 2] = true;
    }
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t offset = lmdb_number_at<std::uint16_t>(p, page_head_bytes + 2 * i);
      const char* n = p + offset;
      std::size_t size = node_header_bytes + lmdb_number_at<std::uint16_t>(n, 6);
      if (is_leaf)
        size += (lmdb_number_at<std::uint16_t>(n, 4) & big_data) != 0
                    ? sizeof(std::uint64_t)
                    : lmdb_number_at<std::uint16_t>(n, 0) | std::size_t{lmdb_number_at<std::uint16_t>(n, 2)} << 16U;
      size += size % 2;
      const auto end = offset + size;
      if (end > page_bytes_ || (end < page_bytes_ && !begins_[end / 2]))
        return false;
      sum += size;
    }
    return sum == page_bytes_ - upper;
  }

  [[nodiscard]] bool key_fits(const table_tree& table, std::string_view key) {
    if ((table.tree.flags & integer_key) == 0)
      return !key.empty();
    if (key_bytes_ == 0)
      key_bytes_ = key.size();
    return key.size() == key_bytes_ && (key_bytes_ == 4 || key_bytes_ == 8);
  }

  bool look_at_data(const table_tree& table, const page_node& n) {
    const char* data = n.key.data() + n.key.size();
    switch (table.kind) {
    case tree_kind::tables:
      if (n.flags != sub_tree || n.low != lmdb_tree::bytes || n.low > n.room)
        return false;
      tables_.push_back({std::string(n.key), "table \"" + std::string(n.key) + "\"", lmdb_tree_at(data)});
      return true;
    case tree_kind::free_list:
    case tree_kind::records:
      break;
    }
    std::string_view content(data, n.low);
    if (n.flags == big_data) {
      if (n.room < sizeof(std::uint64_t) || !big_content(table, lmdb_number_at<std::uint64_t>(data, 0), n.low))
        return false;
      content = big_;
    } else if (n.flags != 0 || n.low > n.room) {
      return false;
    }
    if (table.kind == tree_kind::free_list)
      return note_free_pages(n.key, content);
    if (how_.visit)
      stopped_ = !how_.visit(table.name, n.key, content);
    return true;
  }

  /// A record of its own pages, into big_ if anybody wants to see it.
  bool big_content(const table_tree& table, std::uint64_t first, std::uint64_t bytes) {
    std::array<char, page_head_bytes> header{};
    if (first >= pages_ || !file_.read(first * page_bytes_, header.data(), header.size()))
      return false;
    const auto count = lmdb_number_at<std::uint32_t>(header.data(), 12); // may be more than needed: they are reused
    if (lmdb_number_at<std::uint64_t>(header.data(), 0) != first ||
        lmdb_number_at<std::uint16_t>(header.data(), 10) != overflow || count == 0 ||
        page_head_bytes + bytes > std::uint64_t{count} * page_bytes_ || !take(first, count))
      return false;
    counted_.overflow_pages += count;
    big_.clear();
    if (!how_.visit && table.kind != tree_kind::free_list)
      return true;
    big_.resize(bytes);
    return file_.read(first * page_bytes_ + page_head_bytes, big_.data(), bytes);
  }

  /// An entry of the list: a count, then that many pages, the highest first.
  bool note_free_pages(std::string_view key, std::string_view content) {
    if (key.size() != sizeof(std::uint64_t))
      return false;
    found_.newest_freeing = number_of(key);
    if (content.size() < sizeof(std::uint64_t) || content.size() % sizeof(std::uint64_t) != 0)
      return false;
    const auto count = lmdb_number_at<std::uint64_t>(content.data(), 0);
    if (count > content.size() / sizeof(std::uint64_t) - 1)
      return false;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto page = lmdb_number_at<std::uint64_t>(content.data(), i * sizeof(std::uint64_t));
      if (page < 2 || page > meta_.last_page ||
          (i > 1 && page >= lmdb_number_at<std::uint64_t>(content.data(), (i - 1) * sizeof(std::uint64_t))))
        return false;
      free_.push_back(page);
    }
    return true;
  }

  /// Every page is used once or free once, and the list of free pages ends with what this version itself freed.
  void account() {
    std::set<std::uint64_t> beyond; // free pages that were never written
    for (const auto page : free_) {
      if (page < pages_ ? static_cast<bool>(seen_[page]) : !beyond.insert(page).second)
        return problem_of_file("page " + std::to_string(page) +
                               " is in the list of free pages, and in use or twice there");
      if (page < pages_)
        seen_[page] = true;
    }
    const auto known = found_.pages_used + free_.size() + unseen_pages_;
    if (known != meta_.last_page + 1)
      return problem_of_file("of its " + std::to_string(meta_.last_page + 1) + " pages " + std::to_string(known) +
                             " are in use or free");
    // Each transaction but the first frees at least the page that held the table of tables.
    if (meta_.txn_id > 1 && found_.newest_freeing != meta_.txn_id)
      problem_of_file("its first pages speak of transaction " + std::to_string(meta_.txn_id) +
                      ", and the newest there is is " + std::to_string(found_.newest_freeing));
  }

  lmdb_file& file_;
  const lmdb_meta& meta_;
  const lmdb_walk& how_;
  std::size_t page_bytes_;
  std::uint64_t pages_; ///< those there are
  std::vector<bool> seen_;
  std::bitset<largest_page / 2> begins_;
  lmdb_tree counted_; ///< of the table that is walked
  std::uint64_t unread_leaves_ = 0;
  std::size_t key_bytes_ = 0;
  std::uint64_t unseen_pages_ = 0; ///< of large records in pages that were not looked at
  std::vector<std::uint64_t> free_;
  std::string big_;
  bool stopped_ = false;
  std::vector<table_tree> tables_;
  lmdb_page_check found_;
};

} // namespace

error damaged_journal(const std::string& folder, const std::string& finding) {
  return fail(error_code::state_unusable,
              "state " + folder + ": its journal is damaged: " + finding +
                  "; nothing was changed. `troupe journal verify` lists what is wrong, `troupe journal rebuild` saves "
                  "what can be saved. Or restore " +
                  folder +
                  "/journal.mdb from a copy, or remove it to start anew (the history is lost and everything runs once "
                  "more)");
}

result<std::string> lmdb_file_problem(lmdb_file& file, const std::string& folder) {
  auto metas = file.metas();
  auto problem = lmdb_metas_problem(metas);
  for (int attempt = 0; attempt < 3 && !problem.empty(); ++attempt) { // a writer may be writing one of them just now
    metas = file.metas();
    problem = lmdb_metas_problem(metas);
  }
  if (!metas[0] && !metas[1])
    return fail(error_code::state_unusable, "state " + folder +
                                                ": its journal.mdb"
                                                " is not a journal of Troupe, or is damaged at its beginning; nothing "
                                                "was changed. Restore it from a copy, remove it to start anew (the "
                                                "history is lost and everything runs once more), or name another "
                                                "folder");
  if (!problem.empty())
    return problem;
  const auto& newest = metas[0]->txn_id > metas[1]->txn_id ? *metas[0] : *metas[1];
  if (file.bytes() / newest.page_bytes > newest.last_page)
    return std::string();
  // The last pages may be free and never written; else pages in use are missing, and reading them would be a SIGBUS.
  const auto walked = walk_lmdb_pages(file, newest);
  return walked.findings.empty() ? std::string() : "it is cut off, or " + walked.findings.front().what;
}

lmdb_page_check walk_lmdb_pages(lmdb_file& file, const lmdb_meta& version, const lmdb_walk& how) {
  return page_walk(file, version, how).run();
}

lmdb_page_check walk_lmdb_table(lmdb_file& file, const lmdb_meta& version, const std::string& name,
                                const lmdb_tree& tree, const lmdb_walk& how) {
  return page_walk(file, version, how).run(name, tree);
}

} // namespace troupe_internal
