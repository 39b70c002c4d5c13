// Who in this state wrote what is at an output that is not as its asset left it, and which files of a folder changed.
// Knows records and times of files; that an output differs is found elsewhere.
#pragma once

#include "base/result.hpp"
#include "core/freshness/plan.hpp"
#include "core/model/materialization.hpp"
#include "engine/catalog.hpp"
#include "ports/journal_store.hpp"

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe_internal {

/// For one planning. Looks nothing up before an output is found modified. One thread.
class output_makers {
public:
  /// `folder`: the pipeline's. `state_folder`: absolute.
  output_makers(const journal_snapshot& snapshot, const catalog& names, std::string folder, std::string state_folder)
      : snapshot_(snapshot), names_(names), folder_(std::move(folder)), state_folder_(std::move(state_folder)) {}

  /// Says in the plan, instead of "output modified" in the reasons of the asset judged last, who made what is there or
  /// which files of a folder changed. `outputs`: as they are now.
  [[nodiscard]] result<void> refine(planner& plan, asset_index asset, const materialization& last,
                                    std::span<const file_version> outputs);

private:
  [[nodiscard]] result<void> load();
  /// "ASSET in run #N"; empty where nobody is known who made this content there.
  [[nodiscard]] result<std::string> maker_of(asset_id own, const std::string& path, const digest& content);
  [[nodiscard]] bool is_of_this_folder(path_id pipeline_file) const;
  [[nodiscard]] std::string changed_since(const std::string& path, timestamp then);

  const journal_snapshot& snapshot_;
  const catalog& names_;
  std::string folder_;
  std::string state_folder_;
  bool loaded_ = false;
  std::size_t looks_left_ = 50'000; ///< at members of folders, in all: of what changes beyond, nothing is said
  std::unordered_map<std::string, std::vector<path_id>> paths_; ///< by text, of all pipelines
  std::vector<std::string> path_texts_;                         ///< by id, without the pipeline
  std::vector<std::string> asset_names_;                        ///< by id, with the pipeline
};

} // namespace troupe_internal
