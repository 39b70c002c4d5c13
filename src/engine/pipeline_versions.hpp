// Versions of pipelines: runs whose pipelines are equal share one in memory. Knows nothing of runs.
#pragma once

#include "base/digest.hpp"
#include "base/result.hpp"
#include "engine/project.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe_internal {

/// A version is what a file says, with what links among its paths lead to, and params as given. It lives as long as
/// somebody has its project. Any thread.
class pipeline_versions {
public:
  /// Loads the file as it is now; the error has the mistakes that were found. The project is that of an earlier call
  /// where nothing differs from it and somebody still has that one.
  [[nodiscard]] result<project> open(const project_options& options);
  /// How many versions live.
  [[nodiscard]] std::size_t living();

private:
  using name = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>; ///< file, params
  struct version {
    digest content;
    std::weak_ptr<const pipeline> p;
    std::weak_ptr<const asset_graph> graph;
    std::string state_folder;
  };

  std::mutex mutex_;
  std::multimap<name, version> versions_;
};

} // namespace troupe_internal
