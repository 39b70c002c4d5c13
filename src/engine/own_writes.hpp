// Whether what made an asset stale is of its own making: inputs that changed while its own command ran. Knows times of
// files, not what commands do.
#pragma once

#include "core/model/materialization.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// For one planning. One thread.
class own_writes {
public:
  /// How many files are looked at in all: of what changes beyond, nothing is said.
  static constexpr std::size_t most_looks = 50'000;

  /// `folder`: the pipeline's.
  explicit own_writes(std::string folder, std::size_t looks = most_looks)
      : folder_(std::move(folder)), looks_left_(looks) {}

  /// Notes in each reason of an input that changed during the attempt which made the asset last that it did, and which
  /// file of a folder it was. Returns a warning for people if there is one. Looks at the files that the reasons name,
  /// and at all in a folder they name.
  [[nodiscard]] std::optional<std::string> note(const materialization& last, std::vector<reason>& reasons);

private:
  class attempt_time;
  /// The file, or the first files in the folder, that changed in that time, as the pipeline names them.
  [[nodiscard]] std::vector<std::string> changed_files(const std::string& path, const attempt_time& during);

  std::string folder_;
  std::size_t looks_left_;
};

} // namespace troupe_internal
