// What a run has in common with live runs of other pipelines: files that one of them makes and the other reads. Pure.
// Knows assets by their ids; nothing of paths.
#pragma once

#include "core/pipeline/pipeline.hpp"
#include "core/schedule/run_table.hpp"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace troupe_internal {

/// As a run finds it when it is admitted.
struct foreign_files {
  std::multimap<asset_index, asset_id> reads; ///< by an asset of the run: who makes what it reads
  struct reader {
    run_number run;        ///< of the other pipeline
    asset_id maker, reads; ///< the run's asset, and the other's that reads what it makes
  };
  std::vector<reader> readers;

  /// Calls `visit` with the makers of what the asset reads, until it returns false: whether it never did.
  bool visit_makers(asset_index asset, const held_view::visitor& visit) const;
};

/// Who of later runs' pipelines makes what a run's assets read; those runs have told it. One thread at a time.
class foreign_readers {
public:
  void note(const foreign_files::reader& found) { readers_.emplace(found.maker, found.reads); }
  /// Calls `visit` with the run's assets that read what `maker` makes, until it returns false: whether it never did.
  bool visit(asset_id maker, const held_view::visitor& visit) const;

private:
  std::multimap<asset_id, asset_id> readers_; // by who makes what they read
};

/// Where a run's pipeline has an asset; nullopt: it is of another one.
using index_lookup = std::function<std::optional<asset_index>(asset_id)>;

/// The assets of a run that is about to begin whose records, or inputs that another pipeline makes, live runs may be
/// going to change: see touched_assets. An asset may come twice.
[[nodiscard]] std::vector<asset_index> touched_by_living(std::span<neighbour* const> living,
                                                         const foreign_files& shared, const index_lookup& index_of);
/// Likewise, by changes of these records (record_changes::since).
[[nodiscard]] std::vector<asset_index> touched_by_changes(std::span<const asset_id> changed,
                                                          const foreign_files& shared, const index_lookup& index_of);

} // namespace troupe_internal
