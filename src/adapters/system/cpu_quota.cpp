// Where the process's cgroups are (/proc/self/cgroup), where they are mounted (/proc/self/mountinfo), and the quota
// files there.
#include "adapters/system/cpu_quota.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

namespace troupe_internal {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

bool lists(std::string_view comma_separated, std::string_view wanted) {
  const auto parts = split(comma_separated, ',');
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

std::optional<std::int64_t> number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// The kernel writes blanks and backslashes of paths in mountinfo as \040 and the like.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line))
    return std::nullopt;
  return line;
}

std::optional<unsigned> whole_cpus(std::optional<std::int64_t> quota, std::optional<std::int64_t> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) // v1 writes -1 for no limit
    return std::nullopt;
  const auto cpus = *quota / *period + (*quota % *period == 0 ? 0 : 1);
  return static_cast<unsigned>(std::min<std::int64_t>(cpus, std::numeric_limits<int>::max()));
}

std::optional<unsigned> quota_in(const std::string& folder, bool v2) {
  if (!v2) {
    const auto quota = first_line(folder + "/cpu.cfs_quota_us");
    const auto period = quota ? first_line(folder + "/cpu.cfs_period_us") : std::nullopt;
    return period ? whole_cpus(number(*quota), number(*period)) : std::nullopt;
  }
  const auto both = first_line(folder + "/cpu.max"); // "max 100000", "150000 100000"
  const auto parts = split(both ? std::string_view(*both) : std::string_view(), ' ');
  return parts.size() == 2 ? whole_cpus(number(parts[0]), number(parts[1])) : std::nullopt;
}

/// The process's cgroup in the hierarchy that has the CPU controller: one of v1, and the one of v2.
struct own_groups {
  std::optional<std::string> v1, v2;
};

own_groups read_own_groups(const std::string& root) {
  own_groups own;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) { // "4:cpu,cpuacct:/path", "0::/path"; a path may hold colons
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos)
      continue;
    const auto controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (controllers.empty())
      own.v2 = line.substr(second + 1);
    else if (lists(controllers, "cpu"))
      own.v1 = line.substr(second + 1);
  }
  return own;
}

/// `group` as a path below a mount that shows the cgroup `mounted`: "" for that itself. A group that the mount does not
/// show (a namespace hides where it is) is taken for the mount's own.
std::string below(std::string group, std::string mounted) {
  while (group.ends_with('/'))
    group.pop_back();
  while (mounted.ends_with('/'))
    mounted.pop_back();
  if (!group.starts_with(mounted) || (group.size() > mounted.size() && group[mounted.size()] != '/'))
    return {};
  group.erase(0, mounted.size());
  return group.find("/..") == std::string::npos ? group : std::string();
}

} // namespace

std::optional<unsigned> cpu_quota(const std::string& root) {
  const auto own = read_own_groups(root);
  std::optional<unsigned> least;
  if (!own.v1 && !own.v2)
    return least;
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // id parent device root-of-the-mount mount-point options [tags…] - type source super-options
    const auto dash = line.find(" - ");
    if (dash == std::string::npos)
      continue;
    const auto front = split(std::string_view(line).substr(0, dash), ' ');
    const auto back = split(std::string_view(line).substr(dash + 3), ' ');
    if (front.size() < 6 || back.size() < 3)
      continue;
    const bool v2 = back[0] == "cgroup2";
    const auto& group = v2 ? own.v2 : own.v1;
    if (!group || (!v2 && (back[0] != "cgroup" || !lists(back[2], "cpu"))))
      continue;
    const auto top = root + unescaped(front[4]);
    for (auto path = below(*group, unescaped(front[3]));; path.erase(path.rfind('/'))) {
      if (const auto quota = quota_in(top + path, v2); quota && (!least || *quota < *least))
        least = quota;
      if (path.empty())
        break;
    }
  }
  return least;
}

} // namespace troupe_internal
