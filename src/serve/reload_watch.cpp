// One thread that polls.
#include "serve/reload_watch.hpp"

#include "adapters/system/event_wake.hpp"
#include "adapters/system/start_thread.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace troupe_internal::serve {

namespace {

constexpr int look_again_ms = 2'000;
constexpr std::uint32_t changes =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string folder_part(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : file.substr(0, slash);
}

std::string_view name_part(std::string_view file) {
  const auto slash = file.rfind('/');
  return slash == std::string_view::npos ? file : file.substr(slash + 1);
}

/// What a look at the files says of them: it differs once one has changed.
std::string look_of(const std::vector<std::string>& files) {
  std::string text;
  for (const auto& file : files) {
    struct stat at {};
    if (::stat(file.c_str(), &at) == 0)
      text += std::to_string(at.st_ino) + "," + std::to_string(at.st_size) + "," + std::to_string(at.st_mtim.tv_sec) +
              "." + std::to_string(at.st_mtim.tv_nsec) + "," + std::to_string(at.st_mode);
    text += ";";
  }
  return text;
}

} // namespace

reload_watch::reload_watch(std::function<void(bool seen)> changed, std::chrono::milliseconds settle)
    : changed_(std::move(changed)), settle_(settle), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_)
    throw std::system_error(errno, std::generic_category(), "a watch of files");
  thread_ = start_thread([this] { run(); });
}

reload_watch::~reload_watch() {
  ending_ = true;
  wake(wake_.get());
  thread_.join();
}

void reload_watch::watch(std::vector<std::string> files) {
  {
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
    renewed_ = true;
  }
  wake(wake_.get());
}

void reload_watch::renew(const std::vector<std::string>& files) {
  for (const int folder : std::exchange(folders_, {}))
    inotify_rm_watch(inotify_.get(), folder);
  std::set<std::string> folders;
  for (const auto& file : files)
    folders.insert(folder_part(file));
  looks_ = !inotify_;
  for (const auto& folder : folders) {
    const int watched = inotify_ ? inotify_add_watch(inotify_.get(), folder.c_str(), changes) : -1;
    if (watched >= 0)
      folders_.push_back(watched);
    looks_ = looks_ || watched < 0; // no watches left, or the folder is not there
  }
  seen_ = look_of(files);
}

bool reload_watch::read_changes(const std::vector<std::string>& files) {
  bool found = false;
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (;;) {
    const auto got = read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0)
      return found;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event one;
      std::memcpy(&one, buffer.data() + at, sizeof one);
      const std::string_view name(buffer.data() + at + sizeof one,
                                  one.len > 0 ? strlen(buffer.data() + at + sizeof one) : 0);
      found = found || name.empty() ||
              std::any_of(files.begin(), files.end(), [&](const auto& file) { return name_part(file) == name; });
      if ((one.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
        looks_ = true; // the folder is gone, or another one
      at += sizeof one + one.len;
    }
  }
}

void reload_watch::run() {
  using steady = std::chrono::steady_clock;
  std::vector<std::string> files;
  constexpr auto never = steady::time_point::max();
  auto due = never;
  bool seen = false; // a change, not only that the watch has begun
  while (!ending_) {
    int wait_ms = looks_ ? look_again_ms : -1;
    if (due != never)
      wait_ms = static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(due - steady::now()).count()));
    std::array<pollfd, 2> waits{{{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
    static_cast<void>(poll(waits.data(), waits.size(), wait_ms));
    std::uint64_t times = 0;
    [[maybe_unused]] const auto count = read(wake_.get(), &times, sizeof times); // it says that it was woken
    bool something = inotify_ && read_changes(files);
    bool begins = false;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(renewed_, false)) {
        files = files_;
        renew(files);
        begins = true; // a file may have changed before that
      }
    }
    if (looks_)
      if (auto now = look_of(files); now != seen_) {
        seen_ = std::move(now);
        something = true;
      }
    if (something || (begins && due == never))
      due = steady::now() + settle_;
    seen = seen || something;
    if (due != never && steady::now() >= due && !ending_) {
      due = never;
      changed_(std::exchange(seen, false));
    }
  }
}

} // namespace troupe_internal::serve
