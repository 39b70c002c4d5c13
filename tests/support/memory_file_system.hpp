// Files in memory, with times that only the test moves. Knows no disk.
#pragma once

#include "base/digest.hpp"
#include "core/pipeline/exclusion.hpp"
#include "core/pipeline/glob.hpp"
#include "ports/file_system.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// A fake of the file system port that keeps its contract (both run the same suite). Each write stamps the file with
/// the fake's time, which stands still until advance(): two writes without it are as racy as on a coarse clock. Paths
/// are taken as text, without "." and ".."; relative ones lie beneath "/root". Any thread.
class memory_file_system final : public file_system {
public:
  /// Writes a file; its folders come into being. The inode stays when the file was there.
  void write(std::string_view path, std::string_view content, bool executable = false) {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    make_folders(whole.substr(0, whole.rfind('/')));
    put(whole, {file_kind::file, std::string(content), executable});
  }
  void make_folder(std::string_view path) {
    const std::lock_guard lock(mutex_);
    make_folders(absolute(path));
  }
  /// A FIFO, socket or device.
  void make_other(std::string_view path) {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    make_folders(whole.substr(0, whole.rfind('/')));
    put(whole, {file_kind::other, {}, false});
  }
  /// Removes a file, or a folder with all beneath it. What is not there is ignored.
  void remove(std::string_view path) {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    nodes_.erase(whole);
    for (auto it = nodes_.lower_bound(whole + "/"); it != nodes_.end() && it->first.starts_with(whole + "/");)
      it = nodes_.erase(it);
  }
  /// Sets the modification time alone, as touch -d does.
  void touch(std::string_view path, timestamp mtime) {
    const std::lock_guard lock(mutex_);
    const auto it = nodes_.find(absolute(path));
    if (it == nodes_.end())
      return;
    it->second.stat.mtime_ns = to_unix_ns(mtime);
    it->second.stat.ctime_ns = to_unix_ns(now_);
  }
  /// From now on every look at the path is this error; the code is kept as given.
  void fail_at(std::string_view path, error what) {
    const std::lock_guard lock(mutex_);
    errors_[absolute(path)] = std::move(what);
  }
  void heal(std::string_view path) {
    const std::lock_guard lock(mutex_);
    errors_.erase(absolute(path));
  }
  void advance(duration d) {
    const std::lock_guard lock(mutex_);
    now_ += d;
  }
  void set_now(timestamp t) {
    const std::lock_guard lock(mutex_);
    now_ = t;
  }
  [[nodiscard]] timestamp now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  /// How often content was read: what a stat cache is there to keep low.
  [[nodiscard]] std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  [[nodiscard]] result<file_stat> stat(std::string_view name, link_rule = link_rule::content) const override {
    const std::lock_guard lock(mutex_);
    const folder_filter filter(name);
    return stat_locked(absolute(filter.path()), filter);
  }

  [[nodiscard]] result<file_stat> glance(std::string_view name) const override {
    auto seen = stat(unfiltered(name));
    if (seen && seen->kind == file_kind::folder) {
      file_stat folder;
      folder.kind = file_kind::folder;
      return folder;
    }
    return seen;
  }

  [[nodiscard]] result<file_record> read(std::string_view name, link_rule = link_rule::content,
                                         std::vector<folder_listing>* = nullptr) const override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    const folder_filter filter(name);
    const auto path = filter.path();
    const auto whole = absolute(path);
    auto stat = stat_locked(whole, filter);
    if (!stat)
      return stat.error();
    if (stat->kind == file_kind::absent)
      return file_record{};
    if (stat->kind == file_kind::other)
      return fail(error_code::io, std::string(path) + " is a FIFO: only files and folders have content");
    if (stat->kind == file_kind::file)
      return file_record{*stat, content_digest(nodes_.at(whole).content), stat->executable, {}};
    std::string all;
    for (auto it = nodes_.lower_bound(whole + "/"); it != nodes_.end() && it->first.starts_with(whole + "/"); ++it) {
      const auto& [at, member] = *it;
      if (is_left_out(filter, whole, at))
        continue;
      if (member.stat.kind == file_kind::other)
        return fail(error_code::io, at + " is a FIFO: only files and folders have content");
      const auto relative = at.substr(whole.size());
      all += member.stat.kind == file_kind::folder ? 'd' : member.executable ? 'x' : 'f';
      all += std::to_string(relative.size()) + ":" + relative + to_hex(content_digest(member.content));
    }
    return file_record{*stat, content_digest(all)};
  }

  using file_system::glob;
  [[nodiscard]] result<std::vector<std::string>> glob(std::string_view pattern, const std::vector<std::string>& skip,
                                                      glob_remarks* remarks) const override {
    const std::lock_guard lock(mutex_);
    const bool folders = asks_for_folders(pattern);
    const bool relative = pattern.empty() || pattern.front() != '/';
    std::vector<std::string> skipped;
    for (const auto& path : skip)
      skipped.push_back(absolute(path));
    std::vector<std::string> found;
    for (const auto& [name, member] : nodes_) {
      if ((member.stat.kind != file_kind::file && member.stat.kind != file_kind::folder) ||
          (relative && !name.starts_with(root() + "/")))
        continue;
      if (std::any_of(skipped.begin(), skipped.end(),
                      [&, &whole = name](const auto& s) { return whole == s || whole.starts_with(s + "/"); }))
        continue;
      auto form = relative ? name.substr(root().size() + 1) : name;
      const auto relation = relate_to_glob(without_slash(pattern), form);
      if (!relation.matches)
        continue;
      if (folders == (member.stat.kind == file_kind::folder))
        found.push_back(std::move(form));
      else if (!folders && !relation.reaches && remarks != nullptr)
        remarks->left_out.push_back(std::move(form));
    }
    if (folders)
      std::erase_if(found, [all = found](const std::string& one) {
        return std::any_of(all.begin(), all.end(), [&](const auto& above) { return one.starts_with(above + "/"); });
      });
    if (remarks != nullptr)
      std::sort(remarks->left_out.begin(), remarks->left_out.end());
    for (const auto& path : found)
      if (const auto it = errors_.find(absolute(path)); it != errors_.end())
        return it->second;
    std::sort(found.begin(), found.end());
    return found;
  }

  [[nodiscard]] result<void> remove(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    if (const auto it = errors_.find(whole); it != errors_.end())
      return it->second;
    std::erase_if(nodes_, [&](const auto& one) { return one.first == whole || one.first.starts_with(whole + "/"); });
    return {};
  }
  [[nodiscard]] result<void> make_parent(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    const auto folder = whole.substr(0, whole.rfind('/'));
    for (auto end = folder.find('/', 1); !folder.empty(); end = folder.find('/', end + 1)) {
      const auto part = folder.substr(0, end);
      if (const auto it = errors_.find(part); it != errors_.end())
        return it->second;
      if (const auto it = nodes_.find(part); it != nodes_.end() && it->second.stat.kind != file_kind::folder)
        return fail(error_code::io, "cannot make the folder " + folder + ": something else is in its way");
      if (end == std::string::npos)
        break;
    }
    make_folders(folder);
    return {};
  }

  [[nodiscard]] result<std::string> read_text(std::string_view path, std::uint64_t limit) const override {
    const std::lock_guard lock(mutex_);
    const auto whole = absolute(path);
    auto stat = stat_locked(whole);
    if (!stat)
      return stat.error();
    if (stat->kind == file_kind::absent)
      return fail(error_code::not_found, std::string(path) + " does not exist");
    if (stat->kind != file_kind::file)
      return fail(error_code::io, std::string(path) + " is not a file: only files and folders have content");
    const auto& content = nodes_.at(whole).content;
    if (content.size() > limit)
      return fail(error_code::invalid_input,
                  std::string(path) + " is larger than the " + std::to_string(limit) + " bytes allowed");
    return content;
  }

private:
  struct node {
    node() = default;
    node(file_kind kind, std::string text, bool x) : content(std::move(text)), executable(x) { stat.kind = kind; }
    std::string content;
    bool executable = false;
    file_stat stat;
  };

  static const std::string& root() {
    static const std::string text = "/root";
    return text;
  }

  static std::string absolute(std::string_view path) {
    std::string whole;
    if (path.empty() || path.front() != '/')
      whole = root() + "/";
    whole.append(path);
    while (whole.size() > 1 && whole.back() == '/')
      whole.pop_back();
    return whole;
  }

  void put(const std::string& whole, node n) const {
    const auto old = nodes_.find(whole);
    n.stat.inode = old != nodes_.end() ? old->second.stat.inode : ++inodes_;
    n.stat.size = n.content.size();
    if (n.stat.kind == file_kind::file)
      n.stat.executable = n.executable ? executable_bit::yes : executable_bit::no;
    n.stat.mtime_ns = n.stat.ctime_ns = to_unix_ns(now_);
    nodes_[whole] = std::move(n);
  }

  void make_folders(const std::string& whole) const {
    for (std::size_t end = 0; end != std::string::npos && !whole.empty();) {
      end = whole.find('/', end + 1);
      if (const auto part = whole.substr(0, end); !nodes_.contains(part))
        put(part, {file_kind::folder, {}, false});
    }
  }

  static bool is_left_out(const folder_filter& filter, const std::string& folder, const std::string& member) {
    return !filter.takes_nothing() && filter.leaves_out(std::string_view(member).substr(folder.size() + 1));
  }

  [[nodiscard]] result<file_stat> stat_locked(const std::string& whole, const folder_filter& filter = {}) const {
    if (const auto it = errors_.find(whole); it != errors_.end())
      return it->second;
    const auto it = nodes_.find(whole);
    if (it == nodes_.end())
      return file_stat{};
    if (it->second.stat.kind != file_kind::folder)
      return it->second.stat;
    file_stat folded;
    folded.kind = file_kind::folder;
    std::string all;
    for (auto m = nodes_.lower_bound(whole + "/"); m != nodes_.end() && m->first.starts_with(whole + "/"); ++m) {
      if (is_left_out(filter, whole, m->first))
        continue;
      const auto& s = m->second.stat;
      all += m->first.substr(whole.size()) + '\0' + std::to_string(static_cast<int>(s.kind)) + '\0' +
             std::to_string(s.inode) + '\0';
      if (s.kind == file_kind::folder)
        continue;
      all += std::to_string(s.size) + '\0' + std::to_string(s.mtime_ns) + '\0' + std::to_string(s.ctime_ns) + '\0';
      folded.size += s.size;
      folded.mtime_ns = std::max(folded.mtime_ns, s.mtime_ns);
      folded.ctime_ns = std::max(folded.ctime_ns, s.ctime_ns);
    }
    folded.inode = std::hash<digest>{}(quick_digest(all));
    return folded;
  }

  mutable std::mutex mutex_;
  timestamp now_ = from_unix_ns(1'750'000'000'000'000'000);
  mutable std::map<std::string, node> nodes_; // by absolute path; make_parent is const in the port
  std::map<std::string, error> errors_;
  mutable std::uint64_t inodes_ = 0;
  mutable std::size_t reads_ = 0;
};

} // namespace troupe_internal
