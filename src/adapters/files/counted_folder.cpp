// Walks, and follows links by recursion: a folder elsewhere is counted as one of its own.
#include "adapters/files/counted_folder.hpp"

#include "adapters/files/disk_identity.hpp"
#include "adapters/files/file_content.hpp"
#include "adapters/files/folder_sums.hpp"
#include "adapters/files/folder_walk.hpp"
#include "adapters/files/link_target.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace troupe_internal {
namespace {

constexpr int folder_reads_at_most = 4;                             // of something that keeps changing
constexpr std::uint64_t folder_read_again_bytes = 64 * 1024 * 1024; // what is larger is read once
constexpr std::size_t most_links_deep = 40;                         // as the kernel has it for one path

class counter {
public:
  counter(const folder_setting& where, const folder_filter& filter, link_rule links, bool reading,
          std::vector<folder_listing>* listings)
      : where_(where), filter_(filter), links_(links), reading_(reading), listings_(listings) {}

  struct counted {
    file_stat stat;
    digest content;
    digest as_text;
  };
  result<counted> count(const std::string& path, const std::string& place) {
    frame here(path, place, reading_ && listings_ != nullptr);
    chain_.push_back(&here);
    here.elsewhere = chain_.size() > 1 && !is_within(path, real_root());
    auto walked = walk_folder(
        where_.at, path, [&](const folder_member& member) { return add(here, member); }, filter_, where_.bounds, place);
    chain_.pop_back();
    if (!walked)
      return walked.error();
    counted all;
    all.stat = here.stats.finish();
    if (reading_) {
      auto finished = here.list.finish();
      all.content = finished.content;
      all.as_text = finished.as_text;
      if (finished.bytes && listings_ != nullptr)
        listings_->push_back({finished.content, std::move(*finished.bytes)});
    }
    return all;
  }
  [[nodiscard]] folder_remarks& remarks() { return remarks_; }

private:
  /// A folder that is being counted.
  struct frame {
    frame(const std::string& path_, const std::string& place_, bool keep) : path(path_), place(place_), list(keep) {}
    const std::string& path;
    const std::string& place;      // among the members of the folder that all began with
    bool elsewhere = false;        // outside of root
    std::string real;              // once it is known
    std::vector<disk_identity> up; // likewise: itself and what it lies in
    stat_fold stats;
    folder_list list;
  };
  struct met_folder {
    std::string place;
    counted all;
    bool leads_back = false;
  };

  result<void> add(frame& here, const folder_member& member) {
    const auto mode = member.info.st_mode;
    here.stats.add(member, where_.at);
    if (here.elsewhere)
      ++remarks_.members_elsewhere;
    if (S_ISLNK(mode))
      return add_link(here, member);
    if (!reading_)
      return {};
    if (S_ISDIR(mode)) {
      here.list.add(listed('d', member.path));
      return {};
    }
    if (!S_ISREG(mode) && chain_.size() > 1) {
      here.list.add(listed('o', member.path));
      return {};
    }
    const auto content = chain_.size() > 1 ? where_.shared->read(where_.at, member.full, member.info, where_.bounds)
                                           : read_file_record(where_.at, member.full, member.info, where_.bounds);
    if (!content)
      return unless_gone(member.full, content.error());
    here.list.add(listed((mode & S_IXUSR) != 0 ? 'x' : 'f', member.path, content->content));
    return {};
  }

  result<void> add_link(frame& here, const folder_member& member) {
    if (links_ == link_rule::text) {
      if (!reading_)
        return {};
      std::array<char, PATH_MAX> text;
      const c_path c(member.full);
      const auto size = readlinkat(where_.at, c.get(), text.data(), text.size());
      if (size < 0)
        return unless_gone(member.full, posix_error("read the link", member.full, errno));
      here.list.add(listed('l', member.path, std::string_view(text.data(), static_cast<std::size_t>(size))));
      return {};
    }
    auto target = follow_link(where_.at, where_.root, member.full);
    if (!target)
      return unless_gone(member.full, target.error());
    const auto by_text = reading_ ? listed('l', member.path, target->text) : std::string();
    if (target->what == link_target::leads_to::nothing || is_within(target->real, real_state())) {
      here.stats.link('l');
      note_way(*target, member.full);
      if (reading_)
        here.list.add(by_text);
      return {};
    }
    if (here.real.empty())
      here.real = real_path(where_.at, where_.root, here.path);
    if (!here.real.empty() && is_within(target->real, here.real)) {
      const auto within = std::string_view(target->real).substr(std::min(here.real.size() + 1, target->real.size()));
      if (!filter_.leaves_out(place_of(here, within))) {
        here.stats.link('i', within);
        if (reading_)
          here.list.add(listed('i', member.path, within), by_text);
        return {};
      }
    }
    if (target->what == link_target::leads_to::folder)
      return add_linked_folder(here, member, *target, by_text);
    here.stats.link_to_file(target->info, to_file_stat(target->info, where_.at, target->real));
    note_way(*target, member.full);
    if (here.elsewhere || !is_within(target->real, real_root()))
      ++remarks_.members_elsewhere;
    if (!reading_)
      return {};
    const auto content = where_.shared->read(where_.at, target->real, target->info, where_.bounds);
    if (!content)
      return unless_gone(target->real, through(member, content.error()));
    const bool executable = (target->info.st_mode & S_IXUSR) != 0;
    here.list.add(listed(executable ? 'X' : 'F', member.path, content->content), by_text);
    return {};
  }

  result<void> add_linked_folder(frame& here, const folder_member& member, const link_target& target,
                                 const std::string& by_text) {
    const disk_identity identity{target.info.st_dev, target.info.st_ino};
    const auto back = leads_back(identity);
    if (!back)
      return through(member, back.error());
    if (*back || chain_.size() > most_links_deep) {
      back_ = true;
      here.stats.link('c');
      if (reading_)
        here.list.add(listed('c', member.path, target.text), by_text);
      return {};
    }
    note_way(target, member.full);
    auto place = place_of(here, member.path);
    if (filter_.reaches_into(place)) { // it counts otherwise here than elsewhere
      const auto all = count(target.real, place);
      if (!all)
        return through(member, all.error());
      add_folder(here, member, *all, by_text);
      return {};
    }
    auto met = met_.find(identity);
    if (met != met_.end() && met->second.leads_back) {
      back_ = true;
      here.stats.link('s', met->second.place);
      if (reading_)
        here.list.add(listed('s', member.path, met->second.place), by_text);
      return {};
    }
    if (met == met_.end()) {
      const bool led_back = back_;
      back_ = false;
      auto all = count(target.real, place);
      if (!all)
        return through(member, all.error());
      met = met_.emplace(identity, met_folder{std::move(place), std::move(*all), back_}).first;
      back_ = back_ || led_back;
    }
    add_folder(here, member, met->second.all, by_text);
    return {};
  }

  void note_way(const link_target& target, std::string_view link) {
    if (target.what == link_target::leads_to::nothing || is_within(target.real, real_root()))
      remarks_.links_inside.emplace_back(link);
  }

  void add_folder(frame& here, const folder_member& member, const counted& all, const std::string& by_text) {
    here.stats.link_to_folder(all.stat);
    if (reading_)
      here.list.add(listed('D', member.path, all.content), by_text);
  }

  /// Among the members of the folder that all began with.
  static std::string place_of(const frame& here, std::string_view member) {
    auto place = here.place;
    if (!place.empty() && !member.empty())
      place += '/';
    place += member;
    return place;
  }

  /// Whether the folder is one of those being counted, or one of them lies in it.
  result<bool> leads_back(disk_identity folder) {
    for (auto* const one : chain_) {
      if (one->up.empty()) {
        auto up = identities_up(where_.at, one->path);
        if (!up)
          return up.error();
        one->up = std::move(*up);
      }
      if (std::find(one->up.begin(), one->up.end(), folder) != one->up.end())
        return true;
    }
    return false;
  }

  /// What goes away between being listed and being read is left out.
  result<void> unless_gone(const std::string_view path, error problem) const {
    const c_path c(path);
    struct stat info;
    if (fstatat(where_.at, c.get(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
      return {};
    return problem;
  }

  /// What is wrong is far from what the pipeline names.
  error through(const folder_member& link, error problem) const {
    if (chain_.size() == 1)
      problem.message += "; the link " + std::string(link.full) +
                         " leads there (\"links\": \"text\" has links count by their text alone)";
    return problem;
  }

  const std::string& real_root() {
    if (!real_root_)
      real_root_ = real_path(where_.at, where_.root, "");
    return *real_root_;
  }
  /// "\n", which is no path, where there is no state.
  const std::string& real_state() {
    if (!real_state_)
      real_state_ = where_.bounds.state_path.empty() ? std::string()
                                                     : real_path(where_.at, where_.root, where_.bounds.state_path);
    if (real_state_->empty())
      real_state_ = "\n";
    return *real_state_;
  }

  const folder_setting& where_;
  const folder_filter& filter_;
  link_rule links_;
  bool reading_;
  std::vector<folder_listing>* listings_;
  std::vector<frame*> chain_;
  std::map<disk_identity, met_folder> met_; // through links
  bool back_ = false;                       // a link led back since the present folder was entered
  folder_remarks remarks_;
  std::optional<std::string> real_root_;
  std::optional<std::string> real_state_;
};

} // namespace

result<file_stat> stat_folder(const folder_setting& where, const folder_filter& folder, link_rule links,
                              folder_remarks* remarks) {
  counter counts(where, folder, links, false, nullptr);
  const auto all = counts.count(std::string(folder.path()), {});
  if (!all)
    return all.error();
  if (remarks != nullptr)
    *remarks = std::move(counts.remarks());
  return all->stat;
}

result<file_record> read_folder(const folder_setting& where, const folder_filter& folder, link_rule links,
                                std::vector<folder_listing>* listings, folder_remarks* remarks) {
  for (int i = 1;; ++i) {
    if (listings != nullptr)
      listings->clear();
    counter counts(where, folder, links, true, listings);
    const auto all = counts.count(std::string(folder.path()), {});
    if (!all && (all.error().code == error_code::stopped || i == folder_reads_at_most))
      return all.error();
    const auto after = stat_folder(where, folder, links);
    if (!after)
      return after.error();
    if (!all)
      continue; // a member became something else while it was looked at
    if (all->stat != *after && i < folder_reads_at_most && all->stat.size <= folder_read_again_bytes)
      continue;
    if (remarks != nullptr)
      *remarks = std::move(counts.remarks());
    file_record record;
    record.stat = all->stat;
    record.content = all->content;
    record.as_text = all->as_text;
    return record;
  }
}

} // namespace troupe_internal
