// Which assets make the files that a command reported as inputs. Knows nothing of runs or of what is fresh.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe_internal {

/// Asks the disk how things are at the moment of the first question about a folder. One thread at a time; make a new
/// one where links may have changed.
class file_makers {
public:
  file_makers(const pipeline& p, const asset_graph& graph, const posix_file_system& files)
      : p_(p), graph_(graph), resolver_(files.resolver()) {}

  /// The assets that make the file, the folder it lies in, or what it is a link to or leads through; sorted, each once.
  [[nodiscard]] std::vector<asset_index> makers_of(std::string_view path);
  /// Those, and the assets that make something in the folder that the link leads to; by way of a glob that is led
  /// through the link, something that it matches or could reach into.
  [[nodiscard]] std::vector<asset_index> makers_behind(std::string_view link,
                                                       std::optional<std::string_view> glob = std::nullopt);
  /// The file's identity.
  [[nodiscard]] std::string identity_of(std::string_view path) { return resolver_.identity_of(path); }

private:
  const pipeline& p_;
  const asset_graph& graph_;
  folder_resolver resolver_;
  std::vector<std::pair<std::string_view, asset_index>> outputs_; // by identity, once somebody has asked
};

} // namespace troupe_internal
