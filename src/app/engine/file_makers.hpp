// Which assets make the files that a command reported as inputs. Knows nothing of runs or of what is fresh.
#pragma once

#include "adapters/posix_file_system.hpp"
#include "core/asset_graph.hpp"
#include "core/pipeline.hpp"

#include <string_view>
#include <vector>

namespace troupe {

/// Asks the disk how things are at the moment of the first question about a folder. One thread at a time; make a new
/// one where links may have changed.
class file_makers {
public:
  file_makers(const pipeline& p, const asset_graph& graph, const posix_file_system& files)
      : p_(p), graph_(graph), resolver_(files.resolver()) {}

  /// The assets that make the file, the folder it lies in, or what it is a link to or leads through; sorted, each once.
  [[nodiscard]] std::vector<asset_index> makers_of(std::string_view path);
  /// The file's identity.
  [[nodiscard]] std::string identity_of(std::string_view path) { return resolver_.identity_of(path); }

private:
  const pipeline& p_;
  const asset_graph& graph_;
  folder_resolver resolver_;
};

} // namespace troupe
