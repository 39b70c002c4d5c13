// Trees of folders, and what happens in them.
#include "cli/input_watch.hpp"

#include "core/pipeline/parent_paths.hpp"
#include "core/pipeline/selection.hpp"
#include "engine/recorded_readers.hpp"
#include "engine/state_layout.hpp"

#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

namespace troupe_internal::cli {

namespace {

constexpr int settle_ms = 100;
constexpr int most_settles = 20; ///< whoever writes all the time is not waited for any longer

std::string path_in(const std::string& folder, const std::string& name) {
  return folder == "/" ? "/" + name : folder + "/" + name;
}

bool is_folder(const std::string& path) {
  std::error_code unknown; // then it is none
  return std::filesystem::is_directory(path, unknown);
}

/// The folder that all matches of a glob lie in: what comes before its first wildcard.
std::string root_of(const std::string& glob) {
  const auto wildcard = glob.find_first_of("*?[\\");
  const auto slash = glob.rfind('/', wildcard);
  return slash == std::string::npos || slash == 0 ? "/" : glob.substr(0, slash);
}

} // namespace

result<watched_inputs> inputs_to_watch(const project& on, const std::vector<std::string>& selection, bool only) {
  const auto& p = *on.p;
  auto selected = select_assets(p, *on.graph, selection);
  if (!selected)
    return selected.error();
  if (!only)
    selected = with_upstream(*on.graph, *selected);
  watched_inputs found;
  const auto add = [&](std::string_view path) {
    auto absolute = join_path(p.folder, path);
    std::error_code unknown; // then it is watched as it is written
    for (std::filesystem::path part = absolute; part.has_relative_path(); part = part.parent_path())
      if (std::filesystem::is_symlink(part, unknown))
        found.files.insert(part.string());
    if (const auto real = std::filesystem::weakly_canonical(absolute, unknown).string(); !unknown && real != absolute)
      (is_folder(real) ? found.trees : found.files).insert(real);
    (is_folder(absolute) ? found.trees : found.files).insert(std::move(absolute));
  };
  for (const auto asset : *selected) {
    for (const auto& input : p.asset(asset).inputs)
      if (input.glob)
        found.trees.insert(root_of(join_path(p.folder, p.path(input.path))));
      else if (const auto maker = on.graph->maker_of(p, on.graph->same().text_of(p, input.path));
               !maker || p.is_source(*maker))
        add(p.path(input.path));
    if (p.is_source(asset))
      for (const auto output : p.asset(asset).outputs)
        add(p.path(output));
  }
  const auto reported = recorded_inputs(on, *selected);
  if (!reported)
    return reported.error();
  for (const auto& path : *reported)
    add(path);
  found.files.insert(path_in(p.folder, std::filesystem::path(p.file).filename().string()));
  found.folders.insert(p.folder);
  return found;
}

result<std::unique_ptr<input_watch>> input_watch::open() {
  auto events = inotify_events::open();
  if (!events)
    return events.error();
  return std::unique_ptr<input_watch>(new input_watch(std::move(*events)));
}

void input_watch::watch_folder(const std::string& folder, folder_interest wanted) {
  if (wanted == folder_interest::all && !watched_.insert(folder).second)
    return;
  switch (events_->watch(folder, wanted)) {
  case folder_outcome::watching:
    if (auto kind = events_->unreliable(folder); !kind.empty())
      problems_.insert(folder + " is on " + kind + ": changes that other machines make there are not seen");
    return;
  case folder_outcome::exhausted:
    problems_.insert("the system has no watches left: changes in some folders are not seen. Raise "
                     "fs.inotify.max_user_watches");
    return;
  case folder_outcome::refused:
    problems_.insert(folder + " cannot be read: changes in it are not seen");
    return;
  case folder_outcome::absent: // it has gone since
    return;
  }
}

void input_watch::watch_for(const std::string& folder) {
  std::string missing = folder;
  for (std::string above(parent_path(missing)); !above.empty(); above = std::string(parent_path(above))) {
    awaited_.insert(missing);
    if (is_folder(above))
      return watch_folder(above, folder_interest::entries);
    missing = above;
  }
}

void input_watch::watch_tree(const std::string& folder) {
  if (!is_folder(folder))
    return watch_for(folder);
  watch_folder(folder, folder_interest::all);
  std::error_code unreadable; // watch_folder() has said so
  for (auto at = std::filesystem::recursive_directory_iterator(
           folder, std::filesystem::directory_options::skip_permission_denied, unreadable);
       !unreadable && at != std::filesystem::recursive_directory_iterator(); at.increment(unreadable)) {
    std::error_code gone;
    if (!at->is_directory(gone) || gone)
      continue;
    auto path = at->path().string();
    if (own_(path))
      at.disable_recursion_pending();
    else
      watch_folder(path, folder_interest::all);
  }
}

std::vector<std::string> input_watch::set(watched_inputs inputs, std::function<bool(const std::string&)> own) {
  inputs_ = std::move(inputs);
  own_ = std::move(own);
  watched_.clear();
  awaited_.clear();
  problems_.clear();
  for (const auto& tree : inputs_.trees)
    watch_tree(tree);
  for (const auto& folder : inputs_.folders)
    watch_folder(folder, folder_interest::all);
  for (const auto& file : inputs_.files)
    if (const std::string folder(parent_path(file)); is_folder(folder))
      watch_folder(folder, folder_interest::all);
    else
      watch_for(folder);
  return {problems_.begin(), problems_.end()};
}

bool input_watch::counts(const std::string& path) const {
  if (own_ && own_(path))
    return false;
  if (inputs_.files.contains(path) || inputs_.trees.contains(path) || awaited_.contains(path))
    return true;
  for (auto above = parent_path(path); !above.empty(); above = parent_path(above))
    if (inputs_.trees.contains(above))
      return true;
  return false;
}

bool input_watch::holds_inputs(const std::string& folder) const {
  std::error_code gone; // then it holds nothing
  for (auto at = std::filesystem::recursive_directory_iterator(
           folder, std::filesystem::directory_options::skip_permission_denied, gone);
       !gone && at != std::filesystem::recursive_directory_iterator(); at.increment(gone)) {
    std::error_code unknown; // then it is no folder
    const bool folder_in_it = at->is_directory(unknown);
    if (own_(at->path().string()) && folder_in_it)
      at.disable_recursion_pending();
    else if (!folder_in_it && counts(at->path().string()))
      return true;
  }
  return false;
}

void input_watch::heed(const folder_event& event, changed_inputs& changed) {
  if (event.what == folder_event::kind::folder_gone) {
    watched_.erase(event.folder);
    if (counts(event.folder))
      changed.files.push_back(event.folder);
    return;
  }
  auto path = path_in(event.folder, event.name);
  if (!counts(path)) {
    changed.beside =
        changed.beside || (inputs_.folders.contains(event.folder) && !event.is_folder && !(own_ && own_(path)));
    return;
  }
  const bool appeared = event.what == folder_event::kind::created || event.what == folder_event::kind::moved_in;
  if (event.is_folder && appeared) {
    watch_tree(path);
    if (!holds_inputs(path))
      return; // what comes into it is seen from now on
  }
  changed.files.push_back(std::move(path));
}

changed_inputs input_watch::take() {
  std::vector<folder_event> happened;
  changed_inputs changed;
  if (!events_->read(happened)) // some of it was lost
    changed.files.emplace_back("(many files)");
  for (const auto& event : happened)
    heed(event, changed);
  std::sort(changed.files.begin(), changed.files.end());
  changed.files.erase(std::unique(changed.files.begin(), changed.files.end()), changed.files.end());
  return changed;
}

changed_inputs input_watch::wait(const stop_request& stop) {
  changed_inputs changed;
  for (int settles = 0; stop.count() == 0;) {
    pollfd asked[] = {{events_->descriptor(), POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
    const int ready = ::poll(asked, 2, changed.any() ? settle_ms : -1);
    if (ready < 0)
      continue; // a signal: `stop` says whether that is meant
    auto more = take();
    std::vector<std::string> all;
    std::set_union(changed.files.begin(), changed.files.end(), more.files.begin(), more.files.end(),
                   std::back_inserter(all));
    changed.files = std::move(all);
    changed.beside = changed.beside || more.beside;
    if (changed.any() && (ready == 0 || ++settles == most_settles))
      return changed;
  }
  return {};
}

} // namespace troupe_internal::cli
