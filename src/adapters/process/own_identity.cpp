// /etc/machine-id, as systemd and D-Bus have it.
#include "adapters/process/own_identity.hpp"

#include "adapters/process/process_place.hpp"
#include "adapters/system/unique_fd.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace troupe_internal {
namespace {

constexpr std::size_t most_user_bytes = std::size_t{1} << 16U;

/// A little more than an id takes; empty if there is no such file.
std::string read_machine_id() {
  const unique_fd file(::open("/etc/machine-id", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, 64> buffer;
  ssize_t got = -1;
  do
    got = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  while (got < 0 && errno == EINTR);
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

} // namespace

std::optional<digest> machine_of(std::string_view text) {
  if (text.ends_with('\n'))
    text.remove_suffix(1);
  const auto id = digest_from_hex(text);
  if (!id || *id == digest{})
    return std::nullopt;
  return content_digest("troupe state " + to_hex(*id));
}

writer_identity own_identity() {
  static const digest machine =
      is_in_first_pid_namespace() ? machine_of(read_machine_id()).value_or(digest{}) : digest{};
  return {::geteuid(), machine};
}

std::string words_on_user(std::uint32_t user) {
  const auto number = "user " + std::to_string(user);
  std::vector<char> buffer(1024);
  passwd entry{};
  passwd* found = nullptr;
  while (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == ERANGE && buffer.size() < most_user_bytes)
    buffer.resize(buffer.size() * 2);
  return found == nullptr ? number : number + " (" + found->pw_name + ")";
}

} // namespace troupe_internal
