// memfd_create, and a look at names.
#include "adapters/journal/lmdb_entry.hpp"

#include "adapters/journal/state_lock.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace troupe_internal {
namespace {

constexpr std::uint64_t most_copied_bytes = std::uint64_t{1} << 30U;
constexpr std::size_t copy_step_bytes = std::size_t{1} << 20U;

} // namespace

result<void> require_unheld(const state_dir& dir, const std::string& because) {
  if (!is_locked(dir))
    return {};
  const auto holder = holder_of(dir);
  const auto who = holder ? words_on(*holder) : "another process";
  return fail(error_code::state_unusable,
              "state " + dir.path() + ": " + who + " is writing it, and " + because + ": it cannot be read meanwhile");
}

result<lmdb_file> private_copy(const state_dir& dir, const lmdb_file& file) {
  if (auto free = require_unheld(dir, "the folder belongs to another user or can be written by others"); !free)
    return free.error();
  const auto bytes = file.bytes();
  if (bytes > most_copied_bytes)
    return fail(error_code::state_unusable,
                "state " + dir.path() + ": its journal is larger than the " + std::to_string(most_copied_bytes) +
                    " bytes that are read of a state that others can change: read it as the user it belongs to");
  unique_fd copy(::memfd_create("journal", MFD_CLOEXEC));
  if (!copy)
    return state_error(dir.path(), "copy its journal to read it", errno);
  std::vector<char> buffer(copy_step_bytes);
  for (std::uint64_t at = 0; at < bytes;) {
    const auto part = std::min<std::uint64_t>(bytes - at, buffer.size());
    if (!file.read(at, buffer.data(), part))
      return fail(error_code::state_unusable,
                  "state " + dir.path() + ": its journal changed while it was read: try again");
    for (std::uint64_t put = 0; put < part;) {
      const auto done = ::write(copy.get(), buffer.data() + put, part - put);
      if (done < 0 && errno == EINTR)
        continue;
      if (done <= 0)
        return state_error(dir.path(), "copy its journal to read it", done == 0 ? ENOSPC : errno);
      put += static_cast<std::uint64_t>(done);
    }
    at += part;
  }
  if (auto free = require_unheld(dir, "the folder belongs to another user or can be written by others"); !free)
    return free.error();
  return lmdb_file(std::move(copy));
}

result<bool> may_use_lock_file(const state_dir& dir, const std::string& file, bool read_only) {
  const auto name = file + "-lock";
  auto good = dir.check(name, entry_use::write);
  if (good)
    return true;
  if (good.error().code == error_code::not_found) {
    bool made = false;
    static_cast<void>(dir.open_or_make(name, made)); // where it cannot be made LMDB says why
    return true;
  }
  if (read_only && dir.check(name, entry_use::read))
    if (const auto info = dir.look(name); info && info->st_uid != ::geteuid())
      return false;
  return good.error();
}

} // namespace troupe_internal
