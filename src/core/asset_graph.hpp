// The validated, immutable DAG over dense asset indices: edges, producers of paths, topological order. Knows nothing of
// what is fresh, of running, or of the disk.
#pragma once

#include "base/strong_id.hpp"
#include "core/diagnostic.hpp"
#include "core/pipeline.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace troupe {

/// Edges in compressed rows; every list is sorted by index and without duplicates. Any thread may read.
class asset_graph {
public:
  /// Builds the graph of a pipeline: dependencies by name, and inferred from inputs (an input that is another asset's
  /// output, lies beneath another's folder output, contains one, or a glob that matches one or starts beneath one).
  /// Reports to `out` and returns nullopt if there was any error (for a pipeline with mistakes, already in `out`, only
  /// what does not follow from them):
  ///   duplicate_output   a path that two assets make (or one lists twice)
  ///   output_prefix      an output beneath another output
  ///   self_dependency    an asset that names itself, or reads what it writes (its own outputs are left out of globs)
  ///   too_many_comparisons  globs and outputs so many that matching them would take minutes
  ///   cycle              assets that need each other: one shortest cycle, whole and in order, of each such knot
  [[nodiscard]] static std::optional<asset_graph> build(const pipeline& p, diagnostics& out);

  [[nodiscard]] std::size_t size() const { return order_.size(); }
  /// What the asset needs: named and inferred.
  [[nodiscard]] std::span<const asset_index> upstream(asset_index i) const { return row(up_, up_start_, i); }
  /// What needs the asset.
  [[nodiscard]] std::span<const asset_index> downstream(asset_index i) const { return row(down_, down_start_, i); }
  /// Every asset once, each after all it needs; among those ready at once, in order of declaration (deterministic).
  [[nodiscard]] std::span<const asset_index> topological_order() const { return order_; }
  /// The asset that declares exactly this path as an output.
  [[nodiscard]] std::optional<asset_index> producer(path_index path) const {
    return path.value < producer_.size() && producer_[path.value] != no_asset
               ? std::optional(asset_index(producer_[path.value]))
               : std::nullopt;
  }
  /// All outputs that a glob input matches, sorted by text; whose they are, producer() tells (a glob never counts its
  /// own asset's). `glob` is one of the pipeline's glob texts.
  [[nodiscard]] std::vector<path_index> outputs_matching(const pipeline& p, std::string_view glob) const;

private:
  class builder;
  static constexpr std::uint32_t no_asset = 0xFFFFFFFFU;
  [[nodiscard]] std::span<const asset_index> row(const std::vector<asset_index>& all,
                                                 const std::vector<std::uint32_t>& start, asset_index i) const {
    return std::span(all).subspan(start[i.value], start[i.value + 1] - start[i.value]);
  }

  std::vector<asset_index> up_, down_, order_;
  std::vector<std::uint32_t> up_start_, down_start_; // size() + 1 each
  std::vector<std::uint32_t> producer_;              // by path_index; no_asset where nobody makes it
  std::vector<path_index> sorted_outputs_;           // by text; empty if the pipeline has no glob
};

} // namespace troupe
