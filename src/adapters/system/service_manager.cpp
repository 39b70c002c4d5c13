// Datagrams, as sd_notify(3) and sd_listen_fds(3) describe them.
#include "adapters/system/service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace troupe_internal {

namespace {

constexpr int first_handed_over = 3;
constexpr std::uint64_t most_sockets = 64;

/// A variable of the environment, which it is taken out of.
std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  return bad == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number) : std::nullopt;
}

std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto end = text.find(':');
    names.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return names;
}

std::string monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(std::uint64_t(now.tv_sec) * 1'000'000 + std::uint64_t(now.tv_nsec) / 1000);
}

/// On one line.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

} // namespace

service_manager service_manager::from_environment() {
  service_manager made;
  made.socket_ = take_variable("NOTIFY_SOCKET");
  const auto watchdog = number_of(take_variable("WATCHDOG_USEC"));
  const auto watched = take_variable("WATCHDOG_PID");
  if (watchdog && *watchdog > 0 && (watched.empty() || number_of(watched) == std::uint64_t(getpid())))
    made.watchdog_ = std::chrono::microseconds(*watchdog);
  const auto meant = number_of(take_variable("LISTEN_PID"));
  const auto count = number_of(take_variable("LISTEN_FDS"));
  const auto names = names_in(take_variable("LISTEN_FDNAMES"));
  if (meant != std::uint64_t(getpid()) || !count)
    return made;
  for (std::uint64_t i = 0; i < std::min(*count, most_sockets); ++i) {
    const int fd = first_handed_over + static_cast<int>(i);
    int family = 0;
    int listens = 0;
    socklen_t size = sizeof family;
    socklen_t also = sizeof listens;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &also) != 0 || listens == 0)
      continue; // no listening socket: it is not ours to use
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
      continue;
    made.sockets_.push_back({unique_fd(fd), i < names.size() ? names[i] : "unknown", family == AF_UNIX});
  }
  return made;
}

void service_manager::send(const std::string& text) const {
  sockaddr_un to{};
  if (socket_.empty() || socket_.size() >= sizeof to.sun_path || (socket_[0] != '/' && socket_[0] != '@'))
    return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@')
    to.sun_path[0] = '\0';
  const unique_fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // Nobody can be told that nobody listens.
  static_cast<void>(
      ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length));
}

void service_manager::ready(std::string_view line) const {
  send("READY=1\nSTATUS=" + one_line(line) + "\n");
}

void service_manager::reloading() const {
  send("RELOADING=1\nMONOTONIC_USEC=" + monotonic_us() + "\n");
}

void service_manager::stopping(std::string_view line) const {
  send("STOPPING=1\nSTATUS=" + one_line(line) + "\n");
}

void service_manager::status(std::string_view line) const {
  {
    const std::lock_guard lock(mutex_);
    if (last_status_ == line)
      return;
    last_status_ = line;
  }
  send("STATUS=" + one_line(line) + "\n");
}

void service_manager::alive() const {
  send("WATCHDOG=1\n");
}

void service_manager::extend(duration by) const {
  send("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(by).count()) +
       "\n");
}

} // namespace troupe_internal
