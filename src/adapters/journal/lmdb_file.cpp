// The layout is that of LMDB 0.9 on 64-bit machines (struct MDB_page, MDB_meta, MDB_db in its mdb.c): numbers in the
// machine's byte order, 16 bytes of page header.
#include "adapters/journal/lmdb_file.hpp"

#include "adapters/system/posix_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

namespace troupe_internal {
namespace {

constexpr std::uint32_t file_magic = 0xBEEFC0DE;
constexpr std::uint32_t data_version = 1;
constexpr std::uint16_t meta_page = 0x08;
constexpr std::size_t meta_bytes = 136;
constexpr std::uint64_t window_pages = 16;

/// The meta page at `offset`; nullopt if there is none.
std::optional<lmdb_meta> meta_at(const lmdb_file& file, std::uint64_t offset) {
  std::array<char, lmdb_page_header_bytes + meta_bytes> page{};
  if (!file.read(offset, page.data(), page.size()))
    return std::nullopt;
  const char* m = page.data() + lmdb_page_header_bytes;
  if ((lmdb_number_at<std::uint16_t>(page.data(), 10) & meta_page) == 0 ||
      lmdb_number_at<std::uint32_t>(m, 0) != file_magic || lmdb_number_at<std::uint32_t>(m, 4) != data_version)
    return std::nullopt;
  lmdb_meta result;
  result.page_bytes = lmdb_number_at<std::uint32_t>(m, 24);
  result.free_list = lmdb_tree_at(m + 24);
  result.main = lmdb_tree_at(m + 24 + lmdb_tree::bytes);
  result.last_page = lmdb_number_at<std::uint64_t>(m, 24 + 2 * lmdb_tree::bytes);
  result.txn_id = lmdb_number_at<std::uint64_t>(m, 24 + 2 * lmdb_tree::bytes + 8);
  if (!std::has_single_bit(result.page_bytes) || result.page_bytes < 512 || result.page_bytes > 65536)
    return std::nullopt;
  return result;
}

/// What is written may appear under no other name; but for the one that an upgrade gives the old file just before the
/// new one takes its place, where a crash came in between.
result<void> require_single_name(const kept_folder& dir, const std::string& name, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return state_error(dir.path(), "open its " + name, errno);
  if (info.st_nlink <= 1)
    return {};
  const auto kept = dir.look(name + ".format1");
  if (info.st_nlink == 2 && kept && kept->st_ino == info.st_ino && kept->st_dev == info.st_dev)
    return {};
  return dir.refused(name, "has another name elsewhere (it is a hard link)");
}

} // namespace

lmdb_tree lmdb_tree_at(const char* bytes) {
  lmdb_tree t;
  t.flags = lmdb_number_at<std::uint16_t>(bytes, 4);
  t.depth = lmdb_number_at<std::uint16_t>(bytes, 6);
  t.branch_pages = lmdb_number_at<std::uint64_t>(bytes, 8);
  t.leaf_pages = lmdb_number_at<std::uint64_t>(bytes, 16);
  t.overflow_pages = lmdb_number_at<std::uint64_t>(bytes, 24);
  t.entries = lmdb_number_at<std::uint64_t>(bytes, 32);
  t.root = lmdb_number_at<std::uint64_t>(bytes, 40);
  return t;
}

result<lmdb_file> lmdb_file::open(const kept_folder& dir, const std::string& name, bool writes) {
  auto fd = dir.open(name, entry_use::trust);
  if (!fd)
    return fd.error();
  if (writes)
    if (auto single = require_single_name(dir, name, fd->get()); !single)
      return single.error();
  return lmdb_file(std::move(*fd));
}

result<lmdb_file> lmdb_file::same_as(const std::string& folder, int fd) {
  unique_fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (own.get() < 0)
    return fail(error_code::state_unusable, "state " + folder + ": cannot read its journal: " + errno_text(errno));
  return lmdb_file(std::move(own));
}

std::uint64_t lmdb_file::bytes() const {
  struct stat st {};
  return ::fstat(fd_.get(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

std::pair<std::uint64_t, std::uint64_t> lmdb_file::id() const {
  struct stat st {};
  static_cast<void>(::fstat(fd_.get(), &st));
  return {st.st_dev, st.st_ino};
}

bool lmdb_file::read(std::uint64_t offset, char* to, std::size_t count) const {
  return ::pread(fd_.get(), to, count, static_cast<off_t>(offset)) == static_cast<ssize_t>(count);
}

std::array<std::optional<lmdb_meta>, 2> lmdb_file::metas() const {
  auto first = meta_at(*this, 0);
  // Where the first is none, the other is looked for where it mostly is.
  auto second = meta_at(*this, first ? first->page_bytes : 4096);
  return {std::move(first), std::move(second)};
}

const char* lmdb_file::page(std::uint64_t number, std::uint32_t page_bytes) {
  const bool in_sequence = number == last_asked_ + 1;
  last_asked_ = number;
  if (number < window_first_ || number - window_first_ >= window_count_) {
    window_.resize(window_pages * page_bytes);
    window_first_ = number;
    const auto got = ::pread(fd_.get(), window_.data(), (in_sequence ? window_pages : 1) * page_bytes,
                             static_cast<off_t>(number * page_bytes));
    window_count_ = got > 0 ? static_cast<std::uint64_t>(got) / page_bytes : 0;
    if (window_count_ == 0)
      return nullptr;
  }
  return window_.data() + (number - window_first_) * page_bytes;
}

std::string lmdb_metas_problem(const std::array<std::optional<lmdb_meta>, 2>& metas) {
  for (std::size_t i = 0; i < metas.size(); ++i)
    if (!metas[i])
      return "page " + std::to_string(i) + ", which says where everything is, is damaged";
  if (metas[0]->page_bytes != metas[1]->page_bytes)
    return "its first two pages do not agree on the size of a page";
  // Transactions write them in turn: the even ones page 0, the odd ones page 1. A file without any has 0 in both.
  const auto even = metas[0]->txn_id;
  const auto odd = metas[1]->txn_id;
  const bool in_turn =
      even % 2 == 0 && ((odd % 2 == 1 && (odd == even + 1 || even == odd + 1)) || (even == 0 && odd == 0));
  return in_turn ? "" : "its first two pages are not of two transactions in a row";
}

} // namespace troupe_internal
