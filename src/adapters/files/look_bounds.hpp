// What holds for all looks at files: when they are to be broken off, which folder is none of their business, and which
// files are secret. Knows nothing of how files are read.
#pragma once

#include "adapters/files/disk_identity.hpp"
#include "adapters/state/keyed_files.hpp"
#include "base/result.hpp"

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe_internal {

/// One folder, however it is spelt.
using folder_identity = disk_identity;

struct look_bounds {
  /// Asked between pieces of work that take milliseconds: whether to give up. Any thread; empty: never.
  std::function<bool()> enough{};
  /// The folder of Troupe's state: it changes all the time, and no folder that holds it counts it.
  std::optional<folder_identity> state{};
  std::string state_path{}; ///< its path, absolute: links into it are not followed. Empty: there is none

  std::shared_ptr<const keyed_files> secret_files{}; ///< null: there are none

  [[nodiscard]] bool broken_off() const { return enough && enough(); }
  [[nodiscard]] bool is_state(const struct stat& info) const {
    return state && S_ISDIR(info.st_mode) && state->is(info);
  }
};

/// The error of a look that was broken off; nobody takes it for a finding.
[[nodiscard]] inline error broken_off_error(std::string_view path) {
  return fail(error_code::stopped, "reading " + std::string(path) + " was broken off, because a stop was asked for");
}

} // namespace troupe_internal
