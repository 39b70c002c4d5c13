// The layout is that of LMDB 0.9 on 64-bit machines (struct MDB_page, MDB_node, MDB_meta, MDB_db in its mdb.c): numbers
// in the machine's byte order, 16 bytes of page header, nodes found through 16-bit offsets behind it.
#include "adapters/lmdb_pages.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

namespace troupe {
namespace {

constexpr std::uint32_t magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;
constexpr std::size_t page_header_bytes = 16;
constexpr std::size_t node_header_bytes = 8;
constexpr std::size_t tree_bytes = 48;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr std::size_t problems_limit = 32;

enum page_flags : std::uint16_t { branch = 0x01, leaf = 0x02, overflow = 0x04, meta = 0x08 };
enum node_flags : std::uint16_t { big_data = 0x01, sub_tree = 0x02 };
constexpr std::uint16_t integer_key = 0x08;

template <class T>
T number_at(const char* bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

lmdb_meta::tree tree_at(const char* bytes) {
  lmdb_meta::tree t;
  t.flags = number_at<std::uint16_t>(bytes, 4);
  t.depth = number_at<std::uint16_t>(bytes, 6);
  t.entries = number_at<std::uint64_t>(bytes, 32);
  t.root = number_at<std::uint64_t>(bytes, 40);
  return t;
}

class data_file {
public:
  explicit data_file(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~data_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  data_file(const data_file&) = delete;
  data_file& operator=(const data_file&) = delete;
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] std::uint64_t size() const {
    struct stat st {};
    return ::fstat(fd_, &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
  }
  [[nodiscard]] bool read(std::uint64_t offset, char* to, std::size_t bytes) const {
    return ::pread(fd_, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
  }

private:
  int fd_;
};

/// The meta page at `offset`; nullopt if there is none.
std::optional<lmdb_meta> meta_at(const data_file& file, std::uint64_t offset) {
  std::array<char, 16 + 136> page{};
  if (!file.read(offset, page.data(), page.size()))
    return std::nullopt;
  const char* m = page.data() + page_header_bytes;
  if ((number_at<std::uint16_t>(page.data(), 10) & meta) == 0 || number_at<std::uint32_t>(m, 0) != magic ||
      number_at<std::uint32_t>(m, 4) != data_version)
    return std::nullopt;
  lmdb_meta result;
  result.page_bytes = number_at<std::uint32_t>(m, 24);
  result.free_list = tree_at(m + 24);
  result.main = tree_at(m + 24 + tree_bytes);
  result.last_page = number_at<std::uint64_t>(m, 24 + 2 * tree_bytes);
  result.txn_id = number_at<std::uint64_t>(m, 24 + 2 * tree_bytes + 8);
  if (!std::has_single_bit(result.page_bytes) || result.page_bytes < 512 || result.page_bytes > 65536)
    return std::nullopt;
  return result;
}

/// Of both meta pages; nullopt unless both are good and agree on the size of a page.
std::optional<std::array<lmdb_meta, 2>> metas_of(const data_file& file) {
  const auto first = meta_at(file, 0);
  if (!first)
    return std::nullopt;
  const auto second = meta_at(file, first->page_bytes);
  if (!second || second->page_bytes != first->page_bytes)
    return std::nullopt;
  return std::array{*first, *second};
}

class page_walk {
public:
  page_walk(const data_file& file, const lmdb_meta& m)
      : file_(file), meta_(m), page_(m.page_bytes), pages_(std::min(m.last_page + 1, file.size() / m.page_bytes)),
        seen_(pages_) {}

  lmdb_page_check run() {
    if (!take(0, 1) || !take(1, 1)) // its number of pages wraps around
      problem({"the file", {}, false}, meta_.last_page, "as the last page it makes no sense");
    walk({"the list of free pages", meta_.free_list, false});
    walk({"the table of tables", meta_.main, true});
    for (std::size_t i = 0; i < tables_.size() && !full(); ++i)
      walk(table_tree(tables_[i]));
    return std::move(found_);
  }

private:
  struct table_tree {
    std::string name;
    lmdb_meta::tree tree;
    bool of_tables = false; ///< its entries are tables
  };
  struct visit {
    std::uint64_t page;
    std::uint16_t depth; ///< 1: the root
  };

  [[nodiscard]] bool full() const { return found_.problems.size() >= problems_limit; }
  void problem(const table_tree& table, std::uint64_t page, const std::string& what) {
    if (!full())
      found_.problems.push_back("page " + std::to_string(page) + " of " + table.name + ": " + what);
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

  void walk(const table_tree& table) {
    const auto& tree = table.tree;
    if (tree.root == no_page) {
      if (tree.entries != 0)
        problem(table, tree.root, "the table is empty, but says it has entries");
      return;
    }
    entries_ = 0;
    std::vector<visit> todo{{tree.root, 1}};
    while (!todo.empty() && !full()) {
      const auto at = todo.back();
      todo.pop_back();
      if (!take(at.page, 1)) {
        problem(table, at.page, "it is missing, or used twice");
        continue;
      }
      if (!file_.read(at.page * meta_.page_bytes, page_.data(), page_.size())) {
        problem(table, at.page, "it cannot be read");
        continue;
      }
      look(table, at, todo);
    }
    if (!full() && found_.problems.empty() && entries_ != tree.entries)
      problem(table, tree.root,
              "the table has " + std::to_string(entries_) + " entries, and says " + std::to_string(tree.entries));
  }

  void look(const table_tree& table, const visit& at, std::vector<visit>& todo) {
    const char* p = page_.data();
    const auto kind = number_at<std::uint16_t>(p, 10);
    const std::size_t lower = number_at<std::uint16_t>(p, 12);
    const std::size_t upper = number_at<std::uint16_t>(p, 14);
    const bool is_leaf = at.depth == table.tree.depth;
    if (number_at<std::uint64_t>(p, 0) != at.page)
      return problem(table, at.page, "it bears another page's number");
    if (kind != (is_leaf ? leaf : branch))
      return problem(table, at.page, "it is of the wrong kind");
    if (lower < page_header_bytes || lower % 2 != 0 || lower > upper || upper > page_.size())
      return problem(table, at.page, "its bounds make no sense");
    const auto count = (lower - page_header_bytes) / 2;
    if (count < (is_leaf ? 1U : 2U))
      return problem(table, at.page, "it is empty");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t offset = number_at<std::uint16_t>(p, page_header_bytes + 2 * i);
      if (offset < upper || offset % 2 != 0 || offset + node_header_bytes > page_.size())
        return problem(table, at.page, "an entry lies outside of it");
      const char* node = p + offset;
      const std::uint64_t low = number_at<std::uint16_t>(node, 0) | std::uint64_t{number_at<std::uint16_t>(node, 2)}
                                                                        << 16U;
      const auto flags = number_at<std::uint16_t>(node, 4);
      const std::size_t key_bytes = number_at<std::uint16_t>(node, 6);
      const auto room = page_.size() - offset - node_header_bytes;
      // The first key of a branch page stands for "less than all": its size is 0.
      const bool sized = (table.tree.flags & integer_key) == 0 || key_bytes == 4 || key_bytes == 8;
      if (key_bytes > room || (!sized && !(key_bytes == 0 && !is_leaf && i == 0)))
        return problem(table, at.page, "a key has an impossible size");
      if (!is_leaf) {
        todo.push_back({low | std::uint64_t{flags} << 32U, static_cast<std::uint16_t>(at.depth + 1)});
        continue;
      }
      ++entries_;
      if (!look_at_data(table, node, low, flags, key_bytes, room - key_bytes))
        return problem(table, at.page, "an entry's data has an impossible size or place");
    }
  }

  bool look_at_data(const table_tree& table, const char* node, std::uint64_t data_bytes, std::uint16_t flags,
                    std::size_t key_bytes, std::size_t room) {
    const char* data = node + node_header_bytes + key_bytes;
    if (flags == big_data && !table.of_tables) {
      if (room < sizeof(std::uint64_t))
        return false;
      const auto first = number_at<std::uint64_t>(data, 0);
      std::array<char, page_header_bytes> header{};
      if (first >= pages_ || !file_.read(first * meta_.page_bytes, header.data(), header.size()))
        return false;
      const auto count = number_at<std::uint32_t>(header.data(), 12); // may be more than needed: pages are reused
      return number_at<std::uint64_t>(header.data(), 0) == first &&
             number_at<std::uint16_t>(header.data(), 10) == overflow && count > 0 &&
             page_header_bytes + data_bytes <= std::uint64_t{count} * meta_.page_bytes && take(first, count);
    }
    if (data_bytes > room)
      return false;
    if (!table.of_tables)
      return flags == 0;
    if (flags != sub_tree || data_bytes != tree_bytes)
      return false;
    tables_.push_back({"table \"" + std::string(node + node_header_bytes, key_bytes) + "\"", tree_at(data)});
    return true;
  }

  const data_file& file_;
  const lmdb_meta& meta_;
  std::vector<char> page_;
  std::uint64_t pages_; ///< those there are
  std::vector<bool> seen_;
  std::uint64_t entries_ = 0;
  std::vector<table_tree> tables_;
  lmdb_page_check found_;
};

error not_a_journal(const std::string& folder, const std::string& path) {
  return fail(error_code::state_unusable, "state " + folder + ": " + path +
                                              " is not a journal of Troupe, or is damaged at its beginning; nothing "
                                              "was changed. Remove it to start anew, or name another folder");
}

} // namespace

result<void> check_lmdb_file(const std::string& folder, const std::string& path) {
  const data_file file(path);
  if (!file.is_open())
    return fail(errno == ENOENT ? error_code::not_found : error_code::state_unusable,
                "state " + folder + ": cannot open " + path + ": " + std::strerror(errno));
  std::optional<std::array<lmdb_meta, 2>> metas;
  for (int attempt = 0; attempt < 3 && !metas; ++attempt) // a writer may be writing one of them just now
    metas = metas_of(file);
  if (!metas)
    return not_a_journal(folder, path);
  const auto& newest = (*metas)[0].txn_id > (*metas)[1].txn_id ? (*metas)[0] : (*metas)[1];
  if (file.size() / newest.page_bytes > newest.last_page)
    return {};
  // The last pages may be free and never written; else pages in use are missing, and reading them would be a SIGBUS.
  const auto walked = page_walk(file, newest).run();
  if (walked.problems.empty())
    return {};
  return fail(error_code::state_unusable, "state " + folder + ": " + path + " is cut off or damaged (" +
                                              walked.problems.front() +
                                              "); nothing was changed. Restore it from a copy, or remove it to start "
                                              "anew (the history is lost and everything runs once more)");
}

result<lmdb_page_check> check_lmdb_pages(const std::string& folder, const std::string& path, std::uint64_t txn_id) {
  const data_file file(path);
  if (!file.is_open())
    return fail(error_code::state_unusable, "state " + folder + ": cannot open " + path + ": " + std::strerror(errno));
  const auto metas = metas_of(file);
  if (!metas)
    return not_a_journal(folder, path);
  for (const auto& m : *metas)
    if (m.txn_id == txn_id)
      return page_walk(file, m).run();
  return fail(error_code::state_unusable,
              "state " + folder + ": " + path + " has no meta page for transaction " + std::to_string(txn_id));
}

} // namespace troupe
