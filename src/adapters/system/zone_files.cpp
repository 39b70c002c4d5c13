// A zone's name is a path below the folder, so it is checked before it becomes one.
#include "adapters/system/zone_files.hpp"

#include "adapters/system/posix_error.hpp"
#include "adapters/system/unique_fd.hpp"
#include "base/shown_text.hpp"
#include "core/pipeline/nearest_name.hpp"
#include "core/schedule/tzif.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sys/stat.h>

namespace troupe_internal {
namespace {

constexpr std::size_t longest_name = 100;

/// Letters, digits, _ + - in parts between slashes: nothing that leads out of the folder.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > longest_name || name.front() == '/' || name.back() == '/' ||
      name.find("//") != std::string_view::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  });
}

/// Up to `limit` bytes and one more of a regular file; nullopt if there is none of that name.
result<std::optional<std::string>> contents(const std::string& path, std::size_t limit) {
  // A FIFO is not waited for.
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR)
      return std::nullopt;
    return posix_error("read", path, errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    return posix_error("read", path, errno);
  if (!S_ISREG(status.st_mode))
    return std::nullopt;
  std::string text(limit + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto count = ::read(file.get(), text.data() + have, text.size() - have);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return posix_error("read", path, errno);
    if (count == 0)
      break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return std::optional(std::move(text));
}

} // namespace

bool has_tzdata_legacy(std::string_view os_release) {
  std::string id;
  double version = 0;
  while (!os_release.empty()) {
    const auto end = std::min(os_release.find('\n'), os_release.size());
    const auto line = os_release.substr(0, end);
    os_release.remove_prefix(std::min(end + 1, os_release.size()));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
      continue;
    auto value = line.substr(equals + 1);
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    if (line.substr(0, equals) == "ID")
      id = value;
    else if (line.substr(0, equals) == "VERSION_ID")
      std::from_chars(value.data(), value.data() + value.size(), version);
  }
  // Debian's testing and unstable have no version.
  return (id == "debian" && (version == 0 || version >= 13)) || (id == "ubuntu" && version >= 24.04);
}

zone_files zone_files::of_system() {
  const char* const named = std::getenv("TZDIR");
  return {named != nullptr && *named != '\0' ? named : "/usr/share/zoneinfo", "/etc/os-release"};
}

std::vector<std::string> zone_files::names() const {
  std::vector<std::string> found;
  std::error_code failed; // what cannot be listed has no names to offer
  auto entry = std::filesystem::recursive_directory_iterator(
      folder_, std::filesystem::directory_options::skip_permission_denied, failed);
  for (; !failed && entry != std::filesystem::recursive_directory_iterator(); entry.increment(failed)) {
    auto name = entry->path().string().substr(folder_.size() + (folder_.ends_with('/') ? 0 : 1));
    if (name == "posix" || name == "right") {
      entry.disable_recursion_pending();
      continue;
    }
    if (!is_zone_name(name) || !entry->is_regular_file(failed))
      continue;
    const auto text = contents(entry->path().string(), 4);
    if (text && *text && (*text)->starts_with("TZif"))
      found.push_back(std::move(name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

error zone_files::unknown(const std::string& name) const {
  const auto all = names();
  const std::string start = "there is no time zone \"" + visible(name.substr(0, longest_name)) + "\"";
  if (all.empty())
    return fail(error_code::not_found, start + ": " + visible(folder_) +
                                           " holds no time zone files; install the package tzdata, or use \"UTC\"");
  nearest_name nearest(name);
  for (const auto& one : all)
    nearest.consider(one);
  std::string way_out = nearest.hint();
  const auto release = contents(os_release_, 64UL * 1024);
  if (release && *release && has_tzdata_legacy(**release))
    way_out += "; old names such as US/Eastern are in the package tzdata-legacy";
  else if (way_out.empty())
    way_out = "; names look like Europe/Berlin, and the package tzdata brings them";
  return fail(error_code::not_found, start + " in " + visible(folder_) + way_out);
}

result<std::shared_ptr<const time_zone>> zone_files::find(const std::string& name) const {
  if (name == "UTC")
    return time_zone::utc();
  if (!is_zone_name(name))
    return unknown(name);
  const std::string path = folder_ + "/" + name;
  auto bytes = contents(path, max_tzif_bytes);
  if (!bytes)
    return bytes.error();
  if (!*bytes)
    return unknown(name);
  auto zone = read_tzif(name, **bytes);
  if (!zone)
    return fail(error_code::invalid_input, "the time zone file " + visible(path) +
                                               " cannot be used: " + zone.error().message +
                                               "; install the package tzdata again, or name another zone");
  return std::make_shared<const time_zone>(std::move(*zone));
}

} // namespace troupe_internal
