// Component by component, each folder once.
#include "adapters/files/folder_resolver.hpp"

#include "adapters/system/posix_path.hpp"
#include "adapters/system/unique_dir.hpp"
#include "adapters/system/unique_fd.hpp"
#include "core/pipeline/parent_paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

namespace troupe_internal {
namespace {

constexpr int most_hops = 40;                   // as the system has it; what leads in circles is taken by its text
constexpr std::uint32_t ask_before_list = 32;   // names of one folder
constexpr std::uint32_t entries_per_asked = 64; // a folder is read no further: asking is cheaper then

/// At the first limit, and each time four times as many were asked: all attempts together cost little more than the
/// last.
bool is_time_to_list(std::uint32_t asked) {
  return std::has_single_bit(asked) && std::countr_zero(asked) % 2 == std::countr_zero(ask_before_list) % 2;
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace

std::string folder_resolver::join(std::string_view folder, std::string_view name) const {
  std::string path;
  if (folder != ".") {
    path = folder;
    if (folder != "/")
      path += '/';
  }
  path += name;
  return path == root_ ? "." : path;
}

std::string folder_resolver::above(std::string_view folder) const {
  if (folder == "/")
    return "/";
  return std::string(parent_path(folder == "." ? std::string_view(root_) : folder));
}

const folder_resolver::resolved_folder& folder_resolver::resolve(std::string_view path) {
  if (const auto known = folders_.find(path); known != folders_.end())
    return known->second;
  walk w;
  if (path.empty() || path == ".") {
    w.at.identity = ".";
  } else if (path == "/") {
    w.at.identity = root_ == "/" ? "." : "/";
  } else {
    const auto slash = path.rfind('/');
    w.at = resolve(slash == std::string_view::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
    step(w, last_component(path));
  }
  w.at.content = &listings_[w.at.identity];
  return folders_.emplace(path, std::move(w.at)).first->second;
}

bool folder_resolver::may_be_link(const resolved_folder& in, std::string_view name) {
  if (in.content == nullptr)
    return true;
  if (in.content->listed)
    return !in.content->links.empty() && in.content->links.contains(name);
  return !in.content->missing;
}

std::string folder_resolver::identity_of(std::string_view path) {
  const auto name = last_component(path);
  if (name.empty() || name == "." || name == "..")
    return resolve(path).identity;
  const auto slash = path.rfind('/');
  return join(resolve(slash == std::string_view::npos ? "." : slash == 0 ? "/" : path.substr(0, slash)).identity, name);
}

std::vector<std::string> folder_resolver::chain_of(std::string_view identity) {
  std::vector<std::string> chain;
  std::string file(identity);
  for (int hops = 0; hops < most_hops && file != "." && file != "/"; ++hops) {
    const auto folder = std::string(parent_path(file));
    auto target = target_of(folder, last_component(file));
    if (target.empty())
      break;
    while (target.size() > 1 && target.back() == '/')
      target.pop_back();
    walk w;
    w.at.identity = folder;
    const auto slash = target.rfind('/');
    if (slash != std::string::npos)
      follow(w, slash == 0 ? "/" : std::string_view(target).substr(0, slash));
    const auto name = last_component(target);
    chain.insert(chain.end(), w.at.links.begin(), w.at.links.end());
    if (name == "." || name == ".." || name.empty()) {
      step(w, name);
      chain.push_back(w.at.identity);
      break;
    }
    file = join(w.at.identity, name);
    chain.push_back(file);
  }
  return chain;
}

void folder_resolver::follow(walk& w, std::string_view path) {
  if (path.starts_with('/'))
    w.at.identity = root_ == "/" ? "." : "/";
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    step(w, path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
}

void folder_resolver::step(walk& w, std::string_view name) {
  if (name.empty() || name == ".")
    return;
  if (name == "..") {
    w.at.identity = above(w.at.identity);
    return;
  }
  const auto target = target_of(w.at.identity, name);
  auto path = join(w.at.identity, name);
  if (listings_[w.at.identity].missing)
    listings_[path].missing = true;
  if (target.empty() || ++w.hops > most_hops) {
    w.at.identity = std::move(path);
    return;
  }
  w.at.links.push_back(std::move(path));
  follow(w, target);
}

std::string folder_resolver::target_of(const std::string& folder, std::string_view name) {
  auto& known = listings_[folder];
  if (known.missing || (known.listed && !known.links.contains(name)))
    return {};
  if (!known.listed && ++known.asked >= ask_before_list && is_time_to_list(known.asked)) {
    list(folder, known);
    if (known.listed && !known.links.contains(name))
      return {};
  }
  const auto path = join(folder, name);
  const c_path c(path);
  std::array<char, PATH_MAX> target;
  const auto size = c.error() != 0 ? -1 : readlinkat(at_, c.get(), target.data(), target.size());
  if (size > 0)
    return {target.data(), static_cast<std::size_t>(size)};
  if (size < 0 && (errno == ENOENT || errno == ENOTDIR))
    listings_[path].missing = true;
  return {};
}

void folder_resolver::list(const std::string& folder, listing& into) {
  const c_path c(folder);
  unique_fd fd(c.error() != 0 ? -1 : openat(at_, c.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  const unique_dir dir(fd ? fdopendir(fd.get()) : nullptr);
  if (!dir)
    return;
  (void)fd.release(); // closedir closes it
  std::uint64_t left = std::uint64_t(into.asked) * entries_per_asked;
  into.links.clear();
  for (errno = 0; left > 0; --left, errno = 0) {
    const dirent* entry = readdir(dir.get());
    if (entry == nullptr) {
      into.listed = errno == 0;
      return;
    }
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
      into.links.emplace(entry->d_name);
  }
}

} // namespace troupe_internal
