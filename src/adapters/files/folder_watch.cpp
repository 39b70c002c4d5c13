// inotify_add_watch, inotify_rm_watch, read.
#include "adapters/files/folder_watch.hpp"

#include "adapters/state/state_folder.hpp"
#include "adapters/system/posix_error.hpp"

#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe_internal {

namespace {

std::uint32_t mask_of(folder_interest wanted) {
  std::uint32_t mask = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
  if (wanted != folder_interest::itself)
    mask |= IN_CREATE | IN_MOVED_TO;
  if (wanted == folder_interest::all)
    mask |= IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_EXCL_UNLINK;
  return mask;
}

} // namespace

result<std::unique_ptr<folder_events>> inotify_events::open() {
  unique_fd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd)
    return fail(error_code::io, "the system has no inotify instance left: " + errno_text(errno) +
                                    ". Raise fs.inotify.max_user_instances");
  return std::unique_ptr<folder_events>(new inotify_events(std::move(fd)));
}

folder_outcome inotify_events::watch(const std::string& folder, folder_interest wanted) {
  // The system is asked each time: another folder may have the path by now.
  const int number = inotify_add_watch(fd_.get(), folder.c_str(), mask_of(wanted));
  if (number < 0) {
    switch (errno) {
    case ENOSPC:
    case ENOMEM:
      return folder_outcome::exhausted;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
      return folder_outcome::absent;
    default:
      return folder_outcome::refused;
    }
  }
  const auto known = folders_.find(folder);
  if (known != folders_.end() && known->second.watch != number)
    unwatch(folder);
  folders_[folder].watch = number;
  watches_[number].insert(folder);
  return folder_outcome::watching;
}

void inotify_events::unwatch(const std::string& folder) {
  const auto known = folders_.find(folder);
  if (known == folders_.end())
    return;
  const int number = known->second.watch;
  folders_.erase(known);
  const auto at = watches_.find(number);
  if (at == watches_.end())
    return;
  at->second.erase(folder);
  if (!at->second.empty())
    return;
  watches_.erase(at);
  static_cast<void>(inotify_rm_watch(fd_.get(), number)); // the system may have dropped it already
}

void inotify_events::keep_only(const std::function<bool(const std::string& folder)>& wanted) {
  std::vector<std::string> others;
  for (const auto& [folder, at] : folders_)
    if (!wanted(folder))
      others.push_back(folder);
  for (const auto& folder : others)
    unwatch(folder);
}

void inotify_events::forget(int watch, std::vector<folder_event>& into) {
  const auto at = watches_.find(watch);
  if (at == watches_.end())
    return;
  const auto paths = std::move(at->second);
  watches_.erase(at);
  for (const auto& folder : paths) {
    folders_.erase(folder);
    into.push_back({folder_event::kind::folder_gone, folder, {}, true});
  }
  static_cast<void>(inotify_rm_watch(fd_.get(), watch)); // one that was moved lives on
}

void inotify_events::take(int watch, std::uint32_t mask, const std::string& name, std::vector<folder_event>& into) {
  if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0U)
    return forget(watch, into);
  const auto at = watches_.find(watch);
  if (at == watches_.end())
    return; // it was dropped, and this was under way
  static constexpr std::array<std::pair<std::uint32_t, folder_event::kind>, 7> kinds = {
      {{IN_CREATE, folder_event::kind::created},
       {IN_MODIFY, folder_event::kind::written},
       {IN_CLOSE_WRITE, folder_event::kind::closed},
       {IN_MOVED_TO, folder_event::kind::moved_in},
       {IN_MOVED_FROM, folder_event::kind::moved_out},
       {IN_DELETE, folder_event::kind::deleted},
       {IN_ATTRIB, folder_event::kind::attributes}}};
  for (const auto& [bit, kind] : kinds)
    if ((mask & bit) != 0U && !name.empty())
      for (const auto& folder : at->second)
        into.push_back({kind, folder, name, (mask & IN_ISDIR) != 0U});
}

bool inotify_events::read(std::vector<folder_event>& into) {
  alignas(inotify_event) std::array<char, 64UL * 1024> buffer;
  bool whole = true;
  for (;;) {
    const auto count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return whole;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event head{};
      std::memcpy(&head, buffer.data() + at, sizeof head);
      const char* const text = buffer.data() + at + sizeof head;
      at += sizeof head + head.len;
      if ((head.mask & IN_Q_OVERFLOW) != 0U)
        whole = false;
      else
        take(head.wd, head.mask, head.len > 0 ? std::string(text, strnlen(text, head.len)) : std::string(), into);
    }
  }
}

std::string inotify_events::unreliable(const std::string& folder) const {
  struct statfs info {};
  if (statfs(folder.c_str(), &info) != 0)
    return {};
  const auto type = static_cast<std::uint32_t>(info.f_type);
  if (const auto* const name = network_file_system(type); name != nullptr)
    return name;
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 3> others = {
      {{0x65735546, "FUSE"}, {0x794c7630, "an overlay"}, {0x786f4256, "a VirtualBox folder"}}};
  for (const auto& [number, name] : others)
    if (number == type)
      return name;
  return {};
}

} // namespace troupe_internal
