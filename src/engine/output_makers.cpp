// The table of what was made, by path and content; members of folders by their times.
#include "engine/output_makers.hpp"

#include "adapters/files/folder_walk.hpp"
#include "engine/state_layout.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace troupe_internal {

namespace {

constexpr std::size_t most_members_named = 3;

/// A name or a path without the pipeline it is of.
std::string_view after_pipeline(std::string_view name) {
  const auto slash = name.find('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

} // namespace

result<void> output_makers::load() {
  if (loaded_)
    return {};
  loaded_ = true;
  const auto paths = snapshot_.visit_paths([&](path_id id, std::string_view path) {
    path_texts_.resize(std::max<std::size_t>(path_texts_.size(), id.value + 1));
    path_texts_[id.value] = after_pipeline(path);
    paths_[path_texts_[id.value]].push_back(id);
    return true;
  });
  if (!paths)
    return paths;
  return snapshot_.visit_asset_names([&](asset_id id, std::string_view name) {
    asset_names_.resize(std::max<std::size_t>(asset_names_.size(), id.value + 1));
    asset_names_[id.value] = name;
    return true;
  });
}

/// A pipeline of another folder means another file by the same relative path.
bool output_makers::is_of_this_folder(path_id pipeline_file) const {
  if (pipeline_file.value >= path_texts_.size() || path_texts_[pipeline_file.value] == "-")
    return false;
  const auto file = join_path(join_path(state_folder_, ".."), path_texts_[pipeline_file.value]);
  return join_path(file, "..") == folder_;
}

result<std::string> output_makers::maker_of(asset_id own, const std::string& path, const digest& content) {
  if (const auto loaded = load(); !loaded)
    return loaded.error();
  const auto known = paths_.find(path);
  if (known == paths_.end())
    return std::string();
  made_record made;
  for (const auto id : known->second) {
    const auto read = snapshot_.read_made(id, made);
    if (!read)
      return read.error();
    if (!*read || made.asset == own || made.content != content || made.asset.value >= asset_names_.size() ||
        (!path.starts_with('/') && !is_of_this_folder(made.pipeline_file)))
      continue;
    const std::string_view name = asset_names_[made.asset.value];
    const std::string_view mine = own.value < asset_names_.size() ? asset_names_[own.value] : std::string_view();
    const bool same_pipeline = name.substr(0, name.find('/')) == mine.substr(0, mine.find('/'));
    return std::string(same_pipeline ? after_pipeline(name) : name) +
           (made.run.value == 0 ? ", adopted" : " in run #" + std::to_string(made.run.value));
  }
  return std::string();
}

/// The first members of a folder with times after that moment; empty where it is no folder.
std::string output_makers::changed_since(const std::string& path, timestamp then) {
  struct stat info {};
  const auto whole = join_path(folder_, path);
  if (::stat(whole.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return {};
  const auto limit = to_unix_ns(then);
  const auto is_later = [&](const timespec& t) { return t.tv_sec * 1'000'000'000LL + t.tv_nsec > limit; };
  std::vector<std::string> files, folders;
  if (is_later(info.st_mtim))
    folders.push_back(path);
  const auto walked = walk_folder(AT_FDCWD, whole, [&](const folder_member& member) -> result<void> {
    if (looks_left_ == 0 || files.size() == most_members_named)
      return fail(error_code::io, "enough");
    --looks_left_;
    if (!is_later(member.info.st_mtim) && (S_ISDIR(member.info.st_mode) || !is_later(member.info.st_ctim)))
      return {};
    auto& to = S_ISDIR(member.info.st_mode) ? folders : files;
    if (to.size() < most_members_named)
      to.push_back(path + "/" + std::string(member.path));
    return {};
  });
  // A folder that cannot be read is an error elsewhere; of one that is too large, what was seen counts.
  static_cast<void>(walked);
  // That something was taken out shows only in the time of the folder it was in.
  const auto& changed = files.empty() ? folders : files;
  std::string text;
  for (const auto& name : changed)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? text : text + " changed since";
}

result<void> output_makers::refine(planner& plan, asset_index asset, const materialization& last,
                                   std::span<const file_version> outputs) {
  bool any = false;
  for (const auto& why : plan.last_reasons()) {
    if (why.kind != reason_kind::output_modified || !why.note.empty())
      continue;
    const auto now = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const file_version& f) { return names_.path_text(f.path) == why.detail; });
    if (now == outputs.end())
      continue;
    const auto maker = maker_of(names_.id_of(asset), why.detail, now->content);
    if (!maker)
      return maker.error();
    if (!maker->empty())
      plan.say_instead(why.detail, {reason_kind::output_made_by_other, why.detail + " (made by " + *maker + ")"});
    else if (const auto changed = changed_since(why.detail, last.finished_at); !changed.empty())
      plan.say_instead(why.detail, {reason_kind::output_modified, why.detail, changed});
    else
      continue;
    any = true;
  }
  if (any)
    plan.restate(plan.last_reasons());
  return {};
}

} // namespace troupe_internal
