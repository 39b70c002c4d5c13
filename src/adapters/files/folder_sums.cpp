// Length before text, so that no two lists look alike.
#include "adapters/files/folder_sums.hpp"

#include "adapters/files/file_content.hpp"
#include "ports/file_system.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe_internal {
namespace {

constexpr std::size_t most_pending = 64 * 1024;

template <class Integer>
void append_bytes(std::string& to, Integer value) {
  for (unsigned i = 0; i < sizeof value; ++i)
    to.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU));
}

void append_text(std::string& to, std::string_view text) {
  append_bytes(to, static_cast<std::uint64_t>(text.size()));
  to.append(text);
}

} // namespace

void stat_fold::add(const folder_member& member, int at) {
  append_text(pending_, member.path);
  append_bytes(pending_, static_cast<std::uint32_t>(member.info.st_mode & (S_IFMT | S_IXUSR)));
  append_bytes(pending_, static_cast<std::uint64_t>(member.info.st_ino));
  // A folder's own size and times say no more than its members' names do, and change for nothing.
  if (!S_ISDIR(member.info.st_mode))
    add(to_file_stat(member.info, at, member.full));
  if (pending_.size() > most_pending)
    fold();
}

void stat_fold::link(char how, std::string_view text) {
  pending_ += how;
  append_text(pending_, text);
}

void stat_fold::link_to_file(const struct stat& target, const file_stat& stat) {
  link((target.st_mode & S_IXUSR) != 0 ? 'X' : 'F');
  append_bytes(pending_, static_cast<std::uint64_t>(target.st_ino));
  add(stat);
}

void stat_fold::link_to_folder(const file_stat& target) {
  link('D');
  append_bytes(pending_, target.inode);
  add(target);
}

file_stat stat_fold::finish() {
  fold();
  for (unsigned i = 0; i < sizeof folded_.inode; ++i)
    folded_.inode = folded_.inode << 8U | static_cast<unsigned char>(pending_[i]);
  return folded_;
}

void stat_fold::add(const file_stat& stat) {
  append_bytes(pending_, stat.size);
  append_bytes(pending_, stat.mtime_ns);
  append_bytes(pending_, stat.ctime_ns);
  folded_.size += stat.size;
  folded_.mtime_ns = std::max(folded_.mtime_ns, stat.mtime_ns);
  folded_.ctime_ns = std::max(folded_.ctime_ns, stat.ctime_ns);
}

void stat_fold::fold() {
  const auto d = quick_digest(pending_);
  pending_.assign(d.bytes.begin(), d.bytes.end());
}

std::string listed(char kind, std::string_view name) {
  std::string line(1, kind);
  append_text(line, name);
  return line;
}

std::string listed(char kind, std::string_view name, std::string_view text) {
  auto line = listed(kind, name);
  append_text(line, text);
  return line;
}

std::string listed(char kind, std::string_view name, const digest& content) {
  auto line = listed(kind, name);
  line.append(content.bytes.begin(), content.bytes.end());
  return line;
}

void folder_list::add(std::string_view line) {
  hasher_.update(line);
  if (plain_)
    plain_->update(line);
  note(line);
}

void folder_list::add(std::string_view line, std::string_view by_text) {
  if (!plain_)
    plain_ = hasher_.copy();
  hasher_.update(line);
  plain_->update(by_text);
  note(line);
}

folder_list::finished folder_list::finish() {
  finished all{hasher_.finish(), plain_ ? plain_->finish() : digest{}, std::nullopt};
  if (keep_)
    all.bytes = std::move(bytes_);
  return all;
}

void folder_list::note(std::string_view line) {
  if (!keep_)
    return;
  if (++members_ > max_listed_members) {
    keep_ = false;
    bytes_ = {};
  } else {
    bytes_ += line;
  }
}

} // namespace troupe_internal
