// Patterns made absolute; a due moment for each file; a comparison by content.
#include "core/trigger/watch_logic.hpp"

#include "core/pipeline/glob.hpp"

#include <algorithm>

namespace troupe_internal {

namespace {

/// What is still being written is looked at no more often than this.
constexpr duration least_quiet = std::chrono::milliseconds(100);

std::string_view parent_folder(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? std::string_view("/") : path.substr(0, slash);
}

std::string in_folder(std::string_view folder, std::string_view rest) {
  if (folder.empty() || rest.empty())
    return std::string(folder.empty() ? rest : folder);
  return std::string(folder) + (folder.ends_with('/') ? "" : "/") + std::string(rest);
}

} // namespace

watch_patterns::watch_patterns(std::string_view folder, const watch_source& of) : folder_(folder), ignore_(of.ignore) {
  for (const auto& text : of.paths) {
    if (is_glob(text)) {
      const auto root = glob_root(text);
      add(std::string(glob_rest(text)), root, root);
      continue;
    }
    const auto slash = text.rfind('/');
    const auto above = slash == std::string::npos ? std::string() : slash == 0 ? "/" : text.substr(0, slash);
    add(glob_of_path(slash == std::string::npos ? text : text.substr(slash + 1)), above, above);
    add("**", text, text);
  }
}

void watch_patterns::add(const std::string& glob, std::string root, std::string shown) {
  std::string base = folder_;
  if (root.starts_with('/')) {
    base = std::move(root);
  } else {
    std::string_view rest = root;
    for (; rest == ".." || rest.starts_with("../"); rest.remove_prefix(std::min<std::size_t>(3, rest.size())))
      base = std::string(parent_folder(base));
    base = in_folder(base, rest);
  }
  patterns_.push_back({in_folder(glob_of_path(base), glob), base, std::move(shown)});
  roots_.insert(std::move(base));
}

std::optional<std::string> watch_patterns::takes(std::string_view path) const {
  const auto name = path.substr(path.rfind('/') + 1);
  for (const auto& one : ignore_)
    if (wildcard_matches(one, name))
      return std::nullopt;
  for (const auto& one : patterns_)
    if (glob_takes(one.glob, path))
      return in_folder(one.shown, path.substr(one.root.size() + (one.root.ends_with('/') ? 0 : 1)));
  return std::nullopt;
}

bool watch_patterns::enters(std::string_view folder) const {
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const pattern& one) {
    const auto relation = relate_to_glob(without_slash(one.glob), folder);
    return relation.reaches || (asks_for_folders(one.glob) && (relation.matches || relation.beneath));
  });
}

std::string watch_patterns::absolute(std::string_view name) const {
  if (name.starts_with('/'))
    return std::string(name);
  std::string_view base = folder_;
  for (; name.starts_with("../"); name.remove_prefix(3))
    base = parent_folder(base);
  return in_folder(base, name);
}

settling_files::settling_files(duration settle, duration max_settle) : settle_(settle), max_settle_(max_settle) {}

duration settling_files::quiet(const entry& of) const {
  return of.closed ? settle_ : std::max(settle_, least_quiet);
}

void settling_files::set_due(const std::string& path, entry& of, duration due) {
  due_.erase({of.due, path});
  of.late = due > of.first + max_settle_;
  of.due = std::min(due, of.first + max_settle_);
  due_.emplace(of.due, path);
}

void settling_files::note(const std::string& path, change_sign sign, duration now) {
  const auto [at, is_new] = files_.try_emplace(path);
  auto& file = at->second;
  if (is_new) {
    file.first = now;
    file.closed = sign != change_sign::written;
  } else if (sign != change_sign::attributes) {
    file.closed = sign == change_sign::closed;
  }
  file.seen.reset();
  set_due(path, file, now + quiet(file));
}

void settling_files::found(const std::string& path, duration now) {
  if (!files_.contains(path))
    note(path, change_sign::written, now);
}

void settling_files::look_again(const std::string& path, duration now, duration when) {
  auto& file = files_[path];
  file.first = now;
  file.closed = true;
  file.late = false;
  file.seen.reset();
  due_.erase({file.due, path});
  file.due = when;
  due_.emplace(when, path);
}

std::vector<settling_files::due_file>
settling_files::take_due(duration now, std::size_t most,
                         const std::function<file_stat(const std::string& path)>& look) {
  std::vector<due_file> taken;
  while (!due_.empty() && due_.begin()->first <= now && taken.size() < most) {
    const auto path = due_.begin()->second;
    auto& file = files_.at(path);
    if (!file.closed && !file.late) {
      const auto found = look(path);
      if (!file.seen || !(*file.seen == found)) {
        file.seen = found;
        set_due(path, file, now + quiet(file));
        continue;
      }
    }
    taken.push_back({path, file.late});
    due_.erase(due_.begin());
    files_.erase(path);
  }
  return taken;
}

std::optional<duration> settling_files::next() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

std::vector<std::string> settling_files::take_all() {
  std::vector<std::string> all;
  for (const auto& [path, file] : files_)
    all.push_back(path);
  files_.clear();
  due_.clear();
  return all;
}

std::vector<changed_file> file_changes(const watched_files& before, const std::vector<watched_file>& now) {
  std::vector<changed_file> changes;
  std::vector<std::pair<std::size_t, const file_record*>> created; // places in `changes`
  std::multimap<std::uint64_t, const file_record*> gone;           // by inode
  for (const auto& file : now) {
    const auto known = before.find(file.path);
    if (file.record.stat.kind == file_kind::absent) {
      if (known == before.end())
        continue;
      gone.emplace(known->second.stat.inode, &known->second);
      changes.push_back({file.path, file_change::deleted});
    } else if (known == before.end()) {
      created.emplace_back(changes.size(), &file.record);
      changes.push_back({file.path, file_change::created});
    } else if (known->second.content != file.record.content) {
      changes.push_back({file.path, file_change::changed});
    }
  }
  for (const auto& [place, record] : created) {
    const auto [first, last] = gone.equal_range(record->stat.inode);
    if (std::any_of(first, last, [is = record](const auto& one) { return one.second->content == is->content; }))
      changes[place].change = file_change::moved;
  }
  std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return changes;
}

} // namespace troupe_internal
