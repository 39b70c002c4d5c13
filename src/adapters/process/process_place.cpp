// The inodes of /proc/self/ns tell namespaces apart. An inode is given to another namespace only when all processes of
// the first one are gone.
#include "adapters/process/process_place.hpp"

#include "adapters/process/process_table.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

namespace troupe_internal {
namespace {

std::uint64_t inode_of(const char* path) {
  struct stat info {};
  return stat(path, &info) == 0 ? info.st_ino : 0;
}

bool take_inode(std::string_view& text, char separator, std::uint64_t& value) {
  const auto part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  const auto parsed = std::from_chars(part.data(), part.data() + part.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
}

} // namespace

std::optional<process_place> own_place() {
  std::array<char, 24> own;
  const auto length = readlink("/proc/self", own.data(), own.size());
  if (length <= 0 || std::string_view(own.data(), static_cast<std::size_t>(length)) != std::to_string(getpid()))
    return std::nullopt;
  process_place place{boot_id(), inode_of("/proc/self/ns/pid"), inode_of("/proc/self/ns/time")};
  if (place.boot_id.empty() || place.pid_namespace == 0)
    return std::nullopt;
  return place;
}

std::string to_text(const process_place& place, char separator) {
  return place.boot_id + separator + std::to_string(place.pid_namespace) + separator +
         std::to_string(place.time_namespace);
}

std::optional<process_place> parse_place(std::string_view text, char separator) {
  process_place place;
  place.boot_id = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(place.boot_id.size() + 1, text.size()));
  if (place.boot_id.empty() || text.ends_with(separator) || !take_inode(text, separator, place.pid_namespace) ||
      !take_inode(text, separator, place.time_namespace) || !text.empty())
    return std::nullopt;
  return place;
}

bool is_in_first_pid_namespace() {
  constexpr std::uint64_t inode_of_the_first = 0xEFFFFFFC; // the kernel's PROC_PID_INIT_INO
  return inode_of("/proc/self/ns/pid") == inode_of_the_first;
}

bool is_another_namespace(const process_place& other) {
  const auto own = own_place();
  return own && other.pid_namespace != 0 && other.boot_id == own->boot_id && other.pid_namespace != own->pid_namespace;
}

life life_of(pid_t pid, std::uint64_t start_ticks, const process_place& there, bool* in_doubt) {
  const auto own = own_place();
  if (!own || pid <= 0 || there.boot_id != own->boot_id || there.pid_namespace != own->pid_namespace)
    return life::unknown;
  if (kill(pid, 0) != 0 && errno == ESRCH)
    return life::ended;
  if (start_ticks == 0 || there.time_namespace != own->time_namespace)
    return life::unknown; // somebody has the number now
  const auto process = read_process_facts(pid, in_doubt);
  if (!process)
    return life::unknown; // it may not be looked at, or has ended just now
  return process->start_ticks == start_ticks && !process->dead() ? life::lives : life::ended;
}

} // namespace troupe_internal
