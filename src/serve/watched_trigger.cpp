// A walk that watches a folder before it reads it, so that nothing can come between the two.
#include "serve/watched_trigger.hpp"

#include "adapters/files/folder_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace troupe_internal::serve {

namespace {

std::string member_of(const std::string& folder, std::string_view name) {
  return folder + (folder.ends_with('/') ? "" : "/") + std::string(name);
}

std::string folder_above(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool lies_in(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && (folder.ends_with('/') || path[folder.size()] == '/'));
}

std::pair<std::uint64_t, std::uint64_t> place_on_disk(const std::string& folder) {
  struct stat info {};
  if (fstatat(AT_FDCWD, folder.c_str(), &info, 0) != 0)
    return {0, 0};
  return {info.st_dev, info.st_ino};
}

} // namespace

watched_trigger::watched_trigger(std::string name, std::string folder, const watch_source& what, folder_events& events,
                                 const file_system& files)
    : name_(std::move(name)), what_(what), patterns_(folder, what), events_(events), files_(files),
      settling_(what.settle, what.max_settle) {}

void watched_trigger::degrade(const std::string& why) {
  if (degraded_.empty())
    degraded_ = why;
}

void watched_trigger::want(const std::string& folder, folder_interest what) {
  if (what == folder_interest::all) {
    if (const auto kind = events_.unreliable(folder); !kind.empty())
      return degrade(folder + " is on " + kind + ", which does not report all changes: it is looked at every " +
                     to_human(what_.poll));
  }
  switch (events_.watch(folder, what)) {
  case folder_outcome::watching:
    folders_.insert(folder);
    return;
  case folder_outcome::absent:
    return;
  case folder_outcome::exhausted:
    return degrade("the system has no inotify watches left: folders are looked at every " + to_human(what_.poll) +
                   ". Raise fs.inotify.max_user_watches");
  case folder_outcome::refused:
    if (what == folder_interest::all)
      degrade(folder + " cannot be watched: it is looked at every " + to_human(what_.poll));
    return;
  }
}

void watched_trigger::want_root(const std::string& root) {
  roots_[root] = place_on_disk(root);
  auto wanted = folder_interest::itself;
  if (roots_[root].second == 0)
    wanted = folder_interest::entries; // the nearest folder above it that there is
  for (auto above = root; above != "/";) {
    above = folder_above(above);
    const bool there = place_on_disk(above).second != 0;
    want(above, wanted);
    if (there)
      wanted = folder_interest::itself;
  }
}

void watched_trigger::look_everywhere(duration now) {
  folders_.clear(); // those that are not wanted any more are dropped by who has all triggers
  degraded_.clear();
  std::set<std::string, std::less<>> found;
  for (const auto& root : patterns_.roots()) {
    want_root(root);
    if (roots_[root].second != 0)
      walk(root, now, &found);
  }
  for (const auto& [file, record] : known_)
    if (!found.contains(file)) // as cautiously as what was found, so that all of it counts at the same time
      settling_.found(file, now);
}

void watched_trigger::walk(const std::string& folder, duration now, std::set<std::string, std::less<>>* found) {
  std::vector<std::string> left{folder};
  while (!left.empty()) {
    const auto here = std::move(left.back());
    left.pop_back();
    want(here, folder_interest::all);
    const auto names = list_folder(AT_FDCWD, here);
    if (!names)
      continue; // it is gone, or what it holds is nobody's to see
    for (const auto& entry : *names) {
      const auto path = member_of(here, entry);
      struct stat info {};
      const auto file = patterns_.takes(path);
      if (!file && !patterns_.enters(path))
        continue;
      if (fstatat(AT_FDCWD, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      if (S_ISDIR(info.st_mode)) {
        if (patterns_.enters(path))
          left.push_back(path);
        continue;
      }
      if (!file)
        continue;
      const auto known = known_.find(*file);
      const auto seen = stat(*file);
      if (seen.kind != file_kind::file)
        continue;
      if (found != nullptr)
        found->insert(*file);
      if (known == known_.end() || !(known->second.stat == seen))
        settling_.found(*file, now);
    }
  }
}

void watched_trigger::drop(std::string_view folder, bool with_files, duration now) {
  for (auto at = folders_.lower_bound(folder); at != folders_.end() && at->starts_with(folder);) {
    if (lies_in(*at, folder)) {
      events_.unwatch(*at);
      at = folders_.erase(at);
    } else {
      ++at;
    }
  }
  if (!with_files)
    return;
  for (const auto& [file, record] : known_)
    if (lies_in(patterns_.absolute(file), folder))
      settling_.note(file, change_sign::closed, now);
}

void watched_trigger::heed(const folder_event& event, duration now) {
  using kind = folder_event::kind;
  const bool is_above = std::any_of(roots_.begin(), roots_.end(), [&](const auto& root) {
    return lies_in(root.first, event.folder); // a root, or a folder above one
  });
  if (event.what == kind::folder_gone) {
    if (is_above)
      look_everywhere(now);
    return;
  }
  const auto path = member_of(event.folder, event.name);
  const bool appears = event.what == kind::created || event.what == kind::moved_in;
  if (is_above && appears && event.is_folder &&
      std::any_of(roots_.begin(), roots_.end(), [&](const auto& root) { return lies_in(root.first, path); }))
    return look_everywhere(now);
  if (event.is_folder) {
    if (event.what == kind::moved_out || event.what == kind::deleted)
      drop(path, event.what == kind::moved_out, now); // of what was deleted each file was reported before
    else if (appears && patterns_.enters(path))
      walk(path, now, nullptr);
    return;
  }
  const auto file = patterns_.takes(path);
  if (!file)
    return;
  switch (event.what) {
  case kind::created:
  case kind::written:
    return settling_.note(*file, change_sign::written, now);
  case kind::attributes:
    return settling_.note(*file, change_sign::attributes, now);
  default:
    return settling_.note(*file, change_sign::closed, now);
  }
}

bool watched_trigger::folders_changed() const {
  return std::any_of(roots_.begin(), roots_.end(),
                     [](const auto& root) { return place_on_disk(root.first) != root.second; });
}

file_stat watched_trigger::stat(const std::string& file) const {
  const auto seen = files_.glance(patterns_.absolute(file));
  return seen ? *seen : file_stat{};
}

std::optional<watched_file> watched_trigger::read(const std::string& file, std::string& problem) const {
  const auto path = patterns_.absolute(file);
  if (!patterns_.takes(path))
    return watched_file{file, {}}; // the trigger watches other files by now
  const auto seen = files_.glance(path);
  if (!seen) {
    problem = seen.error().message;
    return std::nullopt;
  }
  if (seen->kind != file_kind::file)
    return watched_file{file, {}}; // a folder, or a FIFO, has taken its place
  auto record = files_.read(path);
  if (!record) {
    problem = record.error().message;
    return std::nullopt;
  }
  return watched_file{file, *record};
}

std::vector<watched_file> watched_trigger::differences(duration now) {
  std::vector<watched_file> all;
  for (const auto& path : settling_.take_all()) {
    std::string problem;
    if (auto file = read(path, problem))
      all.push_back(std::move(*file));
    else
      settling_.note(path, change_sign::attributes, now);
  }
  return all;
}

void watched_trigger::accept(const std::vector<watched_file>& files) {
  for (const auto& file : files)
    if (file.record.stat.kind == file_kind::absent)
      known_.erase(file.path);
    else
      known_[file.path] = file.record;
}

} // namespace troupe_internal::serve
