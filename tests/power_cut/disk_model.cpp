// Sectors are the unit: a disk writes one whole or not at all where it matters (LMDB's two first pages), elsewhere it
// may also tear it.
#include "disk_model.hpp"

#include "base/check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace troupe_internal::test {
namespace {

constexpr std::uint64_t page_sectors = 8;
constexpr std::uint64_t meta_sectors = 2 * page_sectors; ///< where LMDB's own roots lie

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// How a disk treated what it was not asked to sync: from nothing over chance to everything.
class luck {
public:
  explicit luck(std::mt19937_64& random) : random_(random) {
    static constexpr std::array<unsigned, 8> chances = {0, 0, 6, 50, 50, 94, 100, 100}; // in 100
    chance_ = chances[random() % chances.size()];
  }
  [[nodiscard]] bool holds() { return random_() % 100 < chance_; }
  /// How many of `count` versions in a row were written.
  [[nodiscard]] std::size_t reached(std::size_t count) {
    if (!holds())
      return 0;
    return chance_ == 100 ? count : 1 + random_() % count;
  }

private:
  std::mt19937_64& random_;
  unsigned chance_;
};

void write_file(const std::string& path, const std::string& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  TROUPE_CHECK(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
               "no room for an image");
  ::close(fd);
}

} // namespace

void disk_model::apply(const disk_op& op, bool over) {
  switch (op.what) {
  case disk_op::kind::make_folder:
    return change_names({{op.path, folder_entry}});
  case disk_op::kind::make_file:
    files_[op.file] = {};
    return change_names({{op.path, op.file}});
  case disk_op::kind::write:
    return write(files_.at(op.file), op.number, op.bytes, over && op.through && !lies_.about_writes);
  case disk_op::kind::resize:
    return resize(files_.at(op.file), op.number);
  case disk_op::kind::rename:
    if (names_now_.at(op.path) == folder_entry)
      move_contents(op.path, op.to);
    return change_names({{op.path, nothing}, {op.to, names_now_.at(op.path)}});
  case disk_op::kind::remove:
    return change_names({{op.path, nothing}});
  case disk_op::kind::sync_file:
    if (over && !lies_.about_files)
      settle(files_.at(op.file));
    return;
  case disk_op::kind::sync_folder:
    if (!over || lies_.about_folders)
      return;
    std::erase_if(open_changes_, [&](const change& c) {
      if (c.folder != op.path)
        return false;
      for (const auto& [name, what] : c.names)
        names_synced_[name] = what;
      return true;
    });
    return;
  case disk_op::kind::note:
    return;
  }
}

void disk_model::write(file_state& file, std::uint64_t at, const std::string& bytes, bool through) {
  if (bytes.empty())
    return;
  const auto end = at + bytes.size();
  if (end > file.now.size())
    resize(file, end);
  std::memcpy(file.now.data() + at, bytes.data(), bytes.size());
  for (auto number = at / sector_bytes; number * sector_bytes < end; ++number) {
    sector version{};
    const auto begin = number * sector_bytes;
    std::memcpy(version.data(), file.now.data() + begin, std::min(sector_bytes, file.now.size() - begin));
    if (!through) {
      file.open[number].push_back(version);
      continue;
    }
    // With what was written to that sector before.
    file.open.erase(number);
    if (file.synced.size() < std::min<std::uint64_t>(begin + sector_bytes, file.now.size()))
      file.synced.resize(std::min<std::uint64_t>(begin + sector_bytes, file.now.size()), '\0');
    std::memcpy(file.synced.data() + begin, version.data(), std::min(sector_bytes, file.synced.size() - begin));
    if (file.synced.size() == file.now.size())
      file.open_sizes.clear(); // that much of its length is certain too
  }
}

void disk_model::resize(file_state& file, std::uint64_t bytes) {
  if (bytes == file.now.size())
    return;
  file.now.resize(bytes, '\0');
  file.open_sizes.push_back(bytes);
}

void disk_model::settle(file_state& file) {
  file.synced.resize(file.now.size(), '\0');
  for (const auto& [number, versions] : file.open) {
    const auto begin = number * sector_bytes;
    if (begin < file.now.size())
      std::memcpy(file.synced.data() + begin, file.now.data() + begin, std::min(sector_bytes, file.now.size() - begin));
  }
  if (std::find(file.open_sizes.begin(), file.open_sizes.end(), 0U) != file.open_sizes.end())
    file.synced = file.now; // what was cut off does not come back
  file.open.clear();
  file.open_sizes.clear();
}

void disk_model::change_names(std::vector<std::pair<std::string, entry>> names) {
  for (const auto& [name, what] : names)
    names_now_[name] = what;
  open_changes_.push_back({folder_of(names.front().first), std::move(names)});
}

/// What is in a folder goes where the folder goes. (Where the rename is lost, so is what was in it: a disk may do that
/// to what nobody synced, and what somebody did is not renamed here.)
void disk_model::move_contents(const std::string& from, const std::string& to) {
  const auto moved = [&](const std::string& path) {
    return path == from || path.starts_with(from + "/") ? to + path.substr(from.size()) : path;
  };
  const auto move_all = [&](std::map<std::string, entry>& names) {
    std::map<std::string, entry> all;
    for (const auto& [name, what] : names)
      all[name == from ? name : moved(name)] = what;
    names = std::move(all);
  };
  move_all(names_now_);
  move_all(names_synced_);
  for (auto& c : open_changes_) {
    c.folder = moved(c.folder);
    for (auto& [name, what] : c.names)
      name = name == from ? name : moved(name);
  }
}

std::map<std::string, disk_model::entry> disk_model::names_kept(std::mt19937_64& random, image_facts& facts) const {
  auto names = names_synced_;
  luck with(random);
  for (const auto& c : open_changes_) {
    ++facts.entries_open;
    if (!with.holds())
      continue;
    ++facts.entries_kept;
    for (const auto& [name, what] : c.names)
      names[name] = what;
  }
  return names;
}

std::string disk_model::content_kept(const file_state& file, std::mt19937_64& random, image_facts& facts) {
  std::string content = file.synced;
  if (!file.open_sizes.empty()) {
    if (const auto reached = luck(random).reached(file.open_sizes.size()); reached > 0)
      content.resize(file.open_sizes[reached - 1], '\0');
  }
  luck with(random);
  const bool tears = random() % 4 == 0;
  const bool garbage = random() % 4 == 0;               // what the disk held before: nothing says that it is zeros
  std::map<std::uint64_t, std::pair<bool, bool>> pages; ///< has kept ones, has lost ones
  for (const auto& [number, versions] : file.open) {
    ++facts.sectors_open;
    const auto begin = number * sector_bytes;
    const auto reached = with.reached(versions.size());
    (reached == versions.size() ? pages[number / page_sectors].first : pages[number / page_sectors].second) = true;
    if (begin >= content.size())
      continue;
    const auto room = std::min(sector_bytes, content.size() - begin);
    char* at = content.data() + begin;
    if (garbage && begin >= file.synced.size())
      for (std::size_t i = 0; i < room; ++i)
        at[i] = static_cast<char>(random());
    if (reached == 0)
      continue;
    ++facts.sectors_kept;
    std::size_t bytes = room;
    if (tears && number >= meta_sectors && random() % 4 == 0) {
      bytes = random() % room;
      ++facts.sectors_mixed;
    }
    std::memcpy(at, versions[reached - 1].data(), bytes);
  }
  facts.pages_torn += static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](const auto& p) { return p.second.first && p.second.second; }));
  return content;
}

image_facts disk_model::make_image(std::mt19937_64& random, const std::string& folder) const {
  image_facts facts;
  const auto names = names_kept(random, facts);
  std::set<std::string> folders{""};
  for (const auto& [name, what] : names) // parents sort before what is in them
    if (what == folder_entry && folders.contains(folder_of(name))) {
      TROUPE_CHECK(::mkdir((folder + "/" + name).c_str(), 0700) == 0, "no room for an image");
      folders.insert(name);
    }
  for (const auto& [name, what] : names)
    if (what != folder_entry && what != nothing && folders.contains(folder_of(name))) {
      const auto& file = files_.at(what);
      facts.length_open = facts.length_open || (name.ends_with("journal.mdb") && !file.open_sizes.empty());
      write_file(folder + "/" + name, content_kept(file, random, facts));
    }
  return facts;
}

} // namespace troupe_internal::test
