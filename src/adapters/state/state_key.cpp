// One small file, made whole or not at all.
#include "adapters/state/state_key.hpp"

#include "adapters/state/state_dir.hpp"
#include "adapters/system/posix_error.hpp"

#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace troupe_internal {

namespace {

constexpr const char* key_file = "secret.key";

std::optional<state_key> read_key(const state_dir& dir) {
  const auto info = dir.look(key_file);
  if (!dir.ours() || !info || info->st_nlink != 1 || (info->st_mode & 077U) != 0)
    return std::nullopt;
  state_key key;
  const auto text = dir.read(key_file, key.size(), entry_use::trust);
  if (!text || text->size() != key.size())
    return std::nullopt;
  std::memcpy(key.data(), text->data(), key.size());
  return key;
}

} // namespace

std::optional<state_key> read_state_key(const std::string& state_folder) {
  const auto dir = state_dir::open(state_folder);
  return dir ? read_key(**dir) : std::nullopt;
}

result<void> make_state_key(const std::string& state_folder) {
  const auto dir = state_dir::open(state_folder);
  if (!dir)
    return dir.error();
  if (read_key(**dir))
    return {};
  state_key key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return fail(error_code::state_unusable,
                "state " + state_folder + ": cannot make random bytes for its key: " + errno_text(errno));
  return (*dir)->replace(key_file, {reinterpret_cast<const char*>(key.data()), key.size()});
}

} // namespace troupe_internal
