// Who makes which file or folder, and which outputs a pattern has to do with. Knows nothing of edges.
#pragma once

#include "base/strong_id.hpp"
#include "core/pipeline/path_identities.hpp"
#include "core/pipeline/pipeline.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe_internal {

/// Built once, then only read, by any thread. All texts are identities.
class output_index {
public:
  /// `again` is told of each output whose file has a maker already: the asset, the number of the output in its list,
  /// and that maker.
  output_index(const pipeline& p, const path_identities& same,
               const std::function<void(asset_index, std::size_t, asset_index)>& again);
  output_index() = default;

  /// The asset that declares exactly this file as an output.
  [[nodiscard]] std::optional<asset_index> maker(file_number file) const {
    return file.value < maker_.size() && maker_[file.value] != none ? std::optional(asset_index(maker_[file.value]))
                                                                    : std::nullopt;
  }
  /// The output that is this file or the nearest folder above it.
  [[nodiscard]] std::optional<file_number> at_or_above(const pipeline& p, const path_identities& same,
                                                       std::string_view identity) const;

  struct relative {
    file_number output;
    bool whole = false;   ///< the pattern matches the output
    bool reaches = false; ///< it could match something in it, if it is a folder; one of the two holds
    bool by_name = false; ///< it reaches, and not only by **
    bool inside = false;  ///< it lies in a folder that the pattern asks for and matches; then nothing else holds
  };
  /// All outputs that a pattern matches or can reach into, sorted by identity; those above its literal beginning
  /// (at_or_above() of its root) are not among them.
  [[nodiscard]] std::vector<relative> related(const pipeline& p, const path_identities& same,
                                              std::string_view pattern) const;
  /// About how many comparisons of short texts related() makes.
  [[nodiscard]] std::uint64_t cost(const pipeline& p, const path_identities& same, std::string_view pattern) const;

private:
  static constexpr std::uint32_t none = 0xFFFFFFFFU;
  using iterator = std::vector<file_number>::const_iterator;
  [[nodiscard]] std::pair<iterator, iterator> beginning_with(const pipeline& p, const path_identities& same,
                                                             std::string_view prefix) const;

  std::vector<std::uint32_t> maker_; ///< by file_number
  std::vector<file_number> sorted_;  ///< by identity; empty if the pipeline has no glob
  std::uint64_t bytes_ = 0;          ///< of those
};

} // namespace troupe_internal
