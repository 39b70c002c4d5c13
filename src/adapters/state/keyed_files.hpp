// Files whose content counts by a digest that only a holder of the state's key can compute. Knows nothing of what they
// hold.
#pragma once

#include "adapters/state/state_key.hpp"
#include "base/digest.hpp"

#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Else whoever sees the journal could try values until one has the digest recorded. A file is known by its identity,
/// so that it counts alike by whatever path it is read, and in whatever folder. Any thread.
class keyed_files {
public:
  /// `paths` are absolute; they need not exist yet.
  keyed_files(std::vector<std::string> paths, const state_key& key) : paths_(std::move(paths)), key_(key) {}

  /// The digest that counts for a file with this stat, of which `content` is the digest of its bytes.
  [[nodiscard]] digest counted(const struct stat& file, const digest& content) const;

private:
  std::vector<std::string> paths_;
  state_key key_;
};

} // namespace troupe_internal
