// A merge by name.
#include "core/freshness/folder_listing.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>

namespace troupe_internal {
namespace {

constexpr std::size_t most_folders_deep = 64; // of links to folders; a listing that lies could name itself

/// A text with its length before it, taken from the front.
std::optional<std::string_view> take_text(std::string_view& bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size)
    return std::nullopt;
  for (unsigned i = 0; i < sizeof size; ++i)
    size |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  bytes.remove_prefix(sizeof size);
  if (size > bytes.size())
    return std::nullopt;
  const auto text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return text;
}

bool is_file(char kind) {
  return kind == 'f' || kind == 'x';
}
bool is_linked_file(char kind) {
  return kind == 'F' || kind == 'X';
}

digest digest_of(std::string_view bytes) {
  digest d;
  std::memcpy(d.bytes.data(), bytes.data(), d.bytes.size());
  return d;
}

class comparison {
public:
  explicit comparison(const listing_source& known) : known_(known) {}

  /// False: one of the two is not known.
  bool compare(const digest& before, const digest& now, const std::string& prefix, bool behind_link) {
    if (++depth_ > most_folders_deep)
      return false;
    const auto old_bytes = known_(before);
    const auto new_bytes = known_(now);
    const auto old_members = old_bytes ? parse_listing(*old_bytes) : std::nullopt;
    const auto new_members = new_bytes ? parse_listing(*new_bytes) : std::nullopt;
    if (!old_members || !new_members)
      return false;
    std::map<std::string_view, std::pair<const listed_member*, const listed_member*>> pairs;
    for (const auto& one : *old_members)
      pairs[one.name].first = &one;
    for (const auto& one : *new_members)
      pairs[one.name].second = &one;
    for (const auto& [name, pair] : pairs)
      compare(pair.first, pair.second, prefix + std::string(name), behind_link);
    --depth_;
    return true;
  }

  std::vector<changed_member> take() {
    std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    // A folder that comes or goes with its members is told by them.
    std::erase_if(folders_, [&](const changed_member& folder) {
      const auto inside = folder.name + "/";
      const auto at =
          std::lower_bound(found_.begin(), found_.end(), inside,
                           [](const changed_member& one, const std::string& text) { return one.name < text; });
      return at != found_.end() && at->name.starts_with(inside);
    });
    found_.insert(found_.end(), folders_.begin(), folders_.end());
    std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return std::move(found_);
  }

private:
  void compare(const listed_member* before, const listed_member* now, const std::string& name, bool behind_link) {
    if (before == nullptr || now == nullptr) {
      const auto& only = before == nullptr ? *now : *before;
      const auto how = before == nullptr ? member_change::added : member_change::removed;
      (only.kind == 'd' ? folders_ : found_).push_back({name, how, behind_link});
      return;
    }
    if (*before == *now)
      return;
    if (before->kind == 'D' && now->kind == 'D') {
      const auto depth = depth_;
      if (!compare(digest_of(before->counts), digest_of(now->counts), name + "/", true))
        found_.push_back({name, member_change::content, true});
      depth_ = depth;
      return;
    }
    const bool files = is_file(before->kind) && is_file(now->kind);
    const bool linked = is_linked_file(before->kind) && is_linked_file(now->kind);
    const bool bit = (files || linked) && before->counts == now->counts;
    found_.push_back({name, bit ? member_change::executable : member_change::content, behind_link || linked});
  }

  const listing_source& known_;
  std::vector<changed_member> found_;
  std::vector<changed_member> folders_; // that came or went
  std::size_t depth_ = 0;
};

} // namespace

std::optional<std::vector<listed_member>> parse_listing(std::string_view bytes) {
  std::vector<listed_member> members;
  while (!bytes.empty()) {
    listed_member one;
    one.kind = bytes.front();
    bytes.remove_prefix(1);
    const auto name = take_text(bytes);
    if (!name)
      return std::nullopt;
    one.name = *name;
    switch (one.kind) {
    case 'd':
    case 'o':
      break;
    case 'f':
    case 'x':
    case 'F':
    case 'X':
    case 'D':
      if (bytes.size() < sizeof(digest::bytes))
        return std::nullopt;
      one.counts = bytes.substr(0, sizeof(digest::bytes));
      bytes.remove_prefix(sizeof(digest::bytes));
      break;
    case 'l':
    case 'i':
    case 'c':
    case 's':
      if (const auto text = take_text(bytes))
        one.counts = *text;
      else
        return std::nullopt;
      break;
    default:
      return std::nullopt;
    }
    members.push_back(one);
  }
  return members;
}

std::vector<changed_member> compare_listings(const digest& before, const digest& now, const listing_source& known) {
  comparison all(known);
  if (!all.compare(before, now, {}, false))
    return {};
  return all.take();
}

} // namespace troupe_internal
