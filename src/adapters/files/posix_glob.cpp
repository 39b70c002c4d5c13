// Walks the disk with the set of pattern components that may come next: a folder no component leads into is not read.
#include "adapters/files/posix_glob.hpp"

#include "adapters/files/disk_identity.hpp"
#include "adapters/system/posix_error.hpp"
#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "core/pipeline/glob.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

namespace troupe_internal {
namespace {

struct component {
  std::string text;    // as in the pattern
  std::string literal; // unescaped, if it has no wildcards
  bool any_depth = false;
  bool wild = false;
};

std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i;
    plain += text[i];
  }
  return plain;
}

std::vector<component> split(std::string_view pattern) {
  std::vector<component> parts;
  while (!pattern.empty()) {
    const auto end = std::min(pattern.find('/'), pattern.size());
    const auto text = pattern.substr(0, end);
    if (!text.empty()) {
      component part{std::string(text), {}, text == "**", is_glob(text)};
      if (!part.wild)
        part.literal = unescape(text);
      parts.push_back(std::move(part));
    }
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return parts;
}

/// "/a/./b/../c" as "/a/c", by the text alone.
std::string normalised(std::string_view root, std::string_view path) {
  std::string whole;
  if (path.empty() || path.front() != '/')
    whole.append(root).append("/");
  whole.append(path);
  std::vector<std::string_view> parts;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('/'), rest.size());
    const auto part = rest.substr(0, end);
    if (part == "..") {
      if (!parts.empty())
        parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string clean;
  for (const auto part : parts)
    clean.append("/").append(part);
  return clean.empty() ? "/" : clean;
}

using states = std::vector<std::size_t>; // indices of components that may come next; sorted, unique; size() = matched

struct folder_to_search {
  std::string path; // as the pattern spells it, ending in "/" unless empty
  states next;
  std::vector<std::size_t> links{}; // where in the path ** went through a link: the length of the folder that holds it
};

/// So many folders that ** reaches through links are a maze of links, not a tree that somebody meant.
constexpr std::size_t most_linked_folders = 100'000;

class searcher {
public:
  searcher(int at, std::string_view root, std::string_view pattern, const std::vector<std::string>& skip,
           const look_bounds& bounds)
      : at_(at), root_(root), pattern_(pattern), bounds_(bounds), parts_(split(pattern)),
        folders_(asks_for_folders(pattern)) {
    for (const auto& part : parts_) // "a//b" finds "a/b"
      plain_.append(plain_.empty() && pattern.front() != '/' ? "" : "/").append(part.text);
    for (const auto& path : skip)
      skip_.insert(normalised(root, path));
  }

  result<std::vector<std::string>> run() {
    if (pattern_.find('\0') != std::string_view::npos)
      return posix_error("search for", pattern_, EINVAL);
    todo_.push_back({!pattern_.empty() && pattern_.front() == '/' ? "/" : "", reach({0})});
    while (!todo_.empty()) {
      const auto folder = std::move(todo_.back());
      todo_.pop_back();
      const bool only_literals = std::none_of(folder.next.begin(), folder.next.end(),
                                              [&](std::size_t i) { return i < parts_.size() && parts_[i].wild; });
      if (auto done = only_literals ? probe(folder) : list(folder); !done)
        return done.error();
    }
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }
  glob_remarks take_remarks() {
    std::sort(left_out_.begin(), left_out_.end());
    left_out_.erase(std::unique(left_out_.begin(), left_out_.end()), left_out_.end());
    return {std::move(left_out_), std::move(links_)};
  }

private:
  /// Adds what is reached without consuming a name: ** may stand for nothing.
  [[nodiscard]] states reach(states from) const {
    for (std::size_t i = 0; i < from.size(); ++i)
      if (from[i] < parts_.size() && parts_[from[i]].any_depth)
        from.push_back(from[i] + 1);
    std::sort(from.begin(), from.end());
    from.erase(std::unique(from.begin(), from.end()), from.end());
    return from;
  }

  /// What may come after `name`. `without_any_depth`: ** does not take it.
  [[nodiscard]] states after(const states& next, std::string_view name, bool without_any_depth) const {
    states following;
    for (const auto i : next) {
      if (i >= parts_.size())
        continue;
      const auto& part = parts_[i];
      if (part.any_depth) {
        if (!without_any_depth && name.front() != '.')
          following.push_back(i);
      } else if (part.wild ? glob_matches(part.text, name) : part.literal == name) {
        following.push_back(i + 1);
      }
    }
    return reach(std::move(following));
  }

  [[nodiscard]] bool leads_on(const states& next) const {
    return std::any_of(next.begin(), next.end(), [&](std::size_t i) { return i < parts_.size(); });
  }

  [[nodiscard]] bool skipped(const std::string& path) const {
    return !skip_.empty() && skip_.count(normalised(root_, path)) != 0;
  }

  result<void> probe(const folder_to_search& folder) {
    std::set<std::string_view> names;
    for (const auto i : folder.next)
      if (i < parts_.size())
        names.insert(parts_[i].literal);
    for (const auto name : names)
      if (auto seen = consider(folder, name, DT_UNKNOWN); !seen)
        return seen;
    return {};
  }

  result<void> list(const folder_to_search& folder) {
    const c_path path(folder.path);
    if (path.error() != 0)
      return posix_error("search the folder", folder.path, path.error());
    unique_fd fd(openat(at_, path.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    if (!fd && (errno == ENOENT || errno == ENOTDIR))
      return {}; // went away meanwhile
    if (!fd)
      return posix_error("search the folder", shown(folder), errno);
    const unique_dir dir(fdopendir(fd.get()));
    if (!dir)
      return posix_error("search the folder", shown(folder), errno);
    (void)fd.release(); // closedir closes it
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(dir.get());
      if (entry == nullptr) {
        if (errno != 0)
          return posix_error("search the folder", shown(folder), errno);
        return {};
      }
      const std::string_view name(entry->d_name);
      if (name == "." || name == "..")
        continue;
      if (auto seen = consider(folder, name, entry->d_type); !seen)
        return seen;
    }
  }

  /// Looks at one name in a folder: a match, a folder to search, or nothing.
  result<void> consider(const folder_to_search& folder, std::string_view name, unsigned char type) {
    if (bounds_.broken_off())
      return broken_off_error(pattern_);
    auto next = after(folder.next, name, false);
    if (next.empty())
      return {};
    auto path = folder.path;
    path.append(name);
    bool is_folder = type == DT_DIR;
    bool is_file = type == DT_REG;
    bool link = type == DT_LNK;
    if (type == DT_UNKNOWN || type == DT_LNK) {
      const c_path c(path);
      struct stat info;
      if (c.error() != 0)
        return posix_error("look at", path, c.error());
      if (type == DT_UNKNOWN && name != "." && name != "..") {
        if (fstatat(at_, c.get(), &info, AT_SYMLINK_NOFOLLOW) != 0)
          return missing(path);
        link = S_ISLNK(info.st_mode);
      }
      if (fstatat(at_, c.get(), &info, 0) != 0) {
        const auto failed = missing(path); // before errno is another's
        if (link && failed && !skipped(path))
          links_.push_back(path);
        return failed;
      }
      is_folder = S_ISDIR(info.st_mode);
      is_file = S_ISREG(info.st_mode);
      if (is_folder && takes(next, path)) {
        if (link && folders_ && !skipped(path))
          links_.push_back(path);
        return {};
      }
      if (link && is_folder)
        return follow(folder, name, std::move(path), info, std::move(next));
    }
    if (type == DT_DIR && takes(next, path))
      return {};
    if (is_file && !folders_ && glob_matches(plain_, path) && !skipped(path)) {
      if (link)
        links_.push_back(path);
      found_.push_back(std::move(path));
    } else if (is_folder && leads_on(next) && !skipped(path)) {
      todo_.push_back({std::move(path) + "/", std::move(next), folder.links});
    }
    return {};
  }

  /// Takes a folder that matches and is not searched: it was asked for, or is left out.
  [[nodiscard]] bool takes(const states& next, const std::string& path) {
    const bool may_match = next.back() == parts_.size(); // never empty, and sorted
    if (!may_match || !glob_matches(plain_, path) || (!folders_ && leads_on(next)))
      return false;
    if (!skipped(path))
      (folders_ ? found_ : left_out_).push_back(path);
    return true;
  }

  /// A link to a folder. ** goes in, unless that leads back into a folder that it came through, or that lies above one.
  result<void> follow(const folder_to_search& folder, std::string_view name, std::string path,
                      const struct stat& target, states next) {
    if (!leads_on(next) || skipped(path))
      return {};
    auto links = folder.links;
    if (auto by_names = after(folder.next, name, true); by_names != next) {
      const auto back = leads_back(folder, {target.st_dev, target.st_ino});
      if (!back)
        return back.error();
      if (!*back && ++linked_ > most_linked_folders)
        return fail(error_code::io, "the glob \"" + std::string(pattern_) + "\" leads through links into more than " +
                                        std::to_string(most_linked_folders) +
                                        " folders: name the folders to search instead of **");
      if (*back)
        next = std::move(by_names);
    }
    if (next.empty())
      return {};
    links_.push_back(path);
    links.push_back(folder.path.size());
    todo_.push_back({std::move(path) + "/", std::move(next), std::move(links)});
    return {};
  }

  [[nodiscard]] result<bool> leads_back(const folder_to_search& folder, disk_identity target) {
    auto ends = folder.links;
    ends.push_back(folder.path.size());
    for (const auto end : ends) {
      const auto part = folder.path.substr(0, end);
      auto& known = above_[part]; // many links lie in one folder
      if (known.empty()) {
        auto up = identities_up(at_, part);
        if (!up)
          return up.error();
        known = std::move(*up);
      }
      if (std::find(known.begin(), known.end(), target) != known.end())
        return true;
    }
    return false;
  }

  /// What is not there, or is a link that leads nowhere or in circles, matches nothing; the rest is an error.
  static result<void> missing(const std::string& path) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
      return {};
    return posix_error("look at", path, errno);
  }

  static std::string shown(const folder_to_search& folder) { return folder.path.empty() ? "." : folder.path; }

  int at_;
  std::string_view root_;
  std::string_view pattern_;
  const look_bounds& bounds_;
  std::vector<component> parts_;
  std::string plain_; // the pattern without empty components
  bool folders_;      // the pattern asks for folders
  std::set<std::string> skip_;
  std::vector<folder_to_search> todo_;
  std::vector<std::string> found_;
  std::vector<std::string> left_out_;                       // folders
  std::vector<std::string> links_;                          // see glob_remarks
  std::map<std::string, std::vector<disk_identity>> above_; // of folders that hold links: what they lie in
  std::size_t linked_ = 0;
};

} // namespace

result<std::vector<std::string>> glob_files(int at, std::string_view root, std::string_view pattern,
                                            const std::vector<std::string>& skip, glob_remarks* remarks,
                                            const look_bounds& bounds) {
  searcher search(at, root, pattern, skip, bounds);
  auto found = search.run();
  if (remarks != nullptr)
    *remarks = search.take_remarks();
  return found;
}

} // namespace troupe_internal
