// Which of the files that an attempt reported, or that its depfile names, count as discovered inputs. Knows nothing of
// their content.
#pragma once

#include "adapters/files/posix_file_system.hpp"
#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/catalog.hpp"
#include "engine/file_makers.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace troupe_internal {

/// A file that counts.
struct discovered_input {
  std::string path; ///< as it was reported, from the pipeline's folder: the system resolves what is a link by then
  path_slot slot;
  path_id id;
};

/// Of one asset; one thread at a time. All that is handed in outlives it.
class discovered_inputs {
public:
  /// `inputs`: the asset's inputs as examined, sorted by path.
  discovered_inputs(const pipeline& p, const asset_graph& graph, catalog& names, file_makers& makers, asset_index asset,
                    const std::vector<file_version>& inputs);

  /// nullopt for what the asset makes itself or declares as an input, and for what was asked before. `reported` is
  /// relative to the asset's working folder.
  [[nodiscard]] std::optional<discovered_input> input(std::string_view reported);

private:
  [[nodiscard]] bool is_declared(std::string_view identity) const;

  const pipeline& p_;
  const asset_graph& graph_;
  catalog& names_;
  file_makers& makers_;
  asset_index asset_;
  const std::vector<file_version>& inputs_;
  std::string folder_;
  std::unordered_set<std::uint32_t> seen_; // numbers of path_id
};

/// What the asset's depfile names; relative to its working folder. Errors say what is wrong with it: a success needs
/// it.
[[nodiscard]] result<std::vector<std::string>> read_depfile(const pipeline& p, asset_index asset,
                                                            const file_system& files);

} // namespace troupe_internal
