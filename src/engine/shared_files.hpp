// Which files of one pipeline are another pipeline's too: what both make, and what one makes and the other reads. Knows
// paths and globs; nothing of runs.
#pragma once

#include "core/pipeline/asset_graph.hpp"
#include "core/pipeline/pipeline.hpp"
#include "engine/project.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace troupe_internal {

/// What a pipeline makes, as absolute paths in which links are resolved, as far as the system knew when it was loaded.
/// Any thread may read.
class made_files {
public:
  explicit made_files(const project& on);

  struct conflict {
    std::string file; ///< that both make, or the one in the other's folder
    asset_index own, theirs;
    bool nested = false; ///< the file lies in a folder that the other asset makes
  };
  /// The first file that both make. An output in a folder that the other makes counts too.
  [[nodiscard]] std::optional<conflict> conflict_with(const made_files& other) const;

  /// Calls `visit` with each asset of a pipeline that reads what one of this pipeline's assets makes: the file, a
  /// folder it lies in, something in it, or what a declared glob matches. Files that only commands discover are not
  /// known.
  using visitor = std::function<void(asset_index reader, asset_index maker)>;
  void visit_readers(const project& on, const visitor& visit) const;

private:
  using table = std::map<std::string, asset_index>;
  /// The output that is the path, or a folder above it.
  [[nodiscard]] table::const_iterator at_or_above(const std::string& path) const;
  void visit_makers(const std::string& path, const std::function<void(asset_index)>& visit) const;
  void visit_makers_of_glob(const std::string& pattern,
                            const std::function<void(const std::string&, asset_index)>& visit) const;

  table outputs_;
};

} // namespace troupe_internal
